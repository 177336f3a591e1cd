import type { Command } from '../command.ts'

/** One line of the table: what the overview says, and where the command is. */
export interface Listed {
  readonly summary: string
  readonly load: () => Promise<{ readonly command: Command }>
}

/** Every command, by its words. Modules are loaded when they are run, so that starting is fast. */
export const commands = {
  serve: {
    summary: 'Run the gateway in front of the servers of sallyport.yaml',
    load: () => import('./serve.ts'),
  },
  wrap: {
    summary: 'Put one server behind a policy, over stdio',
    load: () => import('./wrap.ts'),
  },
  scan: {
    summary: 'List every tool that agents can call, and how risky it is',
    load: () => import('./scan.ts'),
  },
  'policy validate': {
    summary: 'Check policy files',
    load: () => import('./policy-validate.ts'),
  },
  'policy explain': {
    summary: 'Say what a policy decides for one call, and why',
    load: () => import('./policy-explain.ts'),
  },
  'policy import': {
    summary: "Turn a policy in Intercept's format into ours",
    load: () => import('./policy-import.ts'),
  },
  'policy schema': {
    summary: 'Print the JSON Schema of policies',
    load: () => import('./policy-schema.ts'),
  },
  'policy add': {
    summary: 'Put a policy into a running gateway',
    load: async () => ({ command: (await import('./policy.ts')).add }),
  },
  'policy list': {
    summary: 'List the policies of a running gateway',
    load: async () => ({ command: (await import('./policy.ts')).list }),
  },
  'policy show': {
    summary: 'Show one policy of a running gateway',
    load: async () => ({ command: (await import('./policy.ts')).show }),
  },
  'policy rm': {
    summary: 'Remove a policy from a running gateway',
    load: async () => ({ command: (await import('./policy.ts')).rm }),
  },
  'server add': {
    summary: 'Add a server to a running gateway',
    load: async () => ({ command: (await import('./server.ts')).add }),
  },
  'server list': {
    summary: 'List the servers of a running gateway',
    load: async () => ({ command: (await import('./server.ts')).list }),
  },
  'server show': {
    summary: 'Show one server of a running gateway',
    load: async () => ({ command: (await import('./server.ts')).show }),
  },
  'server rm': {
    summary: 'Remove a server from a running gateway',
    load: async () => ({ command: (await import('./server.ts')).rm }),
  },
  'stack add': {
    summary: 'Make one endpoint of several servers of a running gateway',
    load: async () => ({ command: (await import('./stack.ts')).add }),
  },
  'stack list': {
    summary: 'List the stacks of a running gateway',
    load: async () => ({ command: (await import('./stack.ts')).list }),
  },
  'stack show': {
    summary: 'Show one stack of a running gateway',
    load: async () => ({ command: (await import('./stack.ts')).show }),
  },
  'stack rm': {
    summary: 'Remove a stack from a running gateway',
    load: async () => ({ command: (await import('./stack.ts')).rm }),
  },
  'grant add': {
    summary: 'Make a grant and print its token, once',
    load: async () => ({ command: (await import('./grant.ts')).add }),
  },
  'grant list': {
    summary: 'List the grants of a running gateway',
    load: async () => ({ command: (await import('./grant.ts')).list }),
  },
  'grant show': {
    summary: 'Show one grant of a running gateway',
    load: async () => ({ command: (await import('./grant.ts')).show }),
  },
  'grant rm': {
    summary: 'Revoke a grant at once',
    load: async () => ({ command: (await import('./grant.ts')).rm }),
  },
  'grant revoke': {
    summary: 'The same as `grant rm`',
    load: async () => ({ command: (await import('./grant.ts')).rm }),
  },
  log: {
    summary: 'Show decisions, as they happen with --follow',
    load: () => import('./log.ts'),
  },
  'catalogue classify': {
    summary: 'Say of tool definitions what the tools can do, and what is wrong with them',
    load: () => import('./catalogue-classify.ts'),
  },
  doctor: {
    summary: 'Check configuration, store and servers, and say what to mend',
    load: () => import('./doctor.ts'),
  },
} satisfies Record<string, Listed>
