import type { Category } from '../policy/model.ts'

/** A way in which agents that may call tools have been, or can be, turned against their owners. */
export interface AttackPattern {
  readonly name: string
  /** What happens, in two sentences at most. */
  readonly happens: string
  /** The categories of tools that it works through. */
  readonly concerns: readonly Category[]
  /** What of a policy stops it, or how far it narrows it. */
  readonly stoppedBy: string
}

const all: readonly Category[] = ['Read', 'Write', 'Execute', 'Destructive', 'Financial']

/** The attack patterns that tools and findings refer to, by id. */
export const attacks = {
  tool_poisoning: {
    name: 'Tool poisoning',
    happens:
      'A definition carries orders to the model besides what the tool does. The model reads them as if its owner had written them, and obeys without a call that anyone could see.',
    concerns: all,
    stoppedBy: '`hide` the tool, so that its definition never reaches the model; `pin` the rest',
  },
  line_jumping: {
    name: 'Line jumping',
    happens:
      'Text in the tool list acts as soon as the list is read, before the first call and so before any approval. Control and invisible characters keep it from the eyes of whoever reviews the list.',
    concerns: all,
    stoppedBy: '`"default": "hide"` with the tools that are needed listed by name',
  },
  rug_pull: {
    name: 'Rug pull',
    happens:
      'A server is reviewed and trusted, and changes its definitions or what is behind them afterwards.',
    concerns: all,
    stoppedBy: '`"pin": true`: a changed tool is withheld until a person accepts the change',
  },
  tool_shadowing: {
    name: 'Tool shadowing',
    happens:
      'A tool takes the name of another server’s tool, or tells the model how to use that one, so that calls meant for the trusted server carry the attacker’s arguments or go to the attacker.',
    concerns: all,
    stoppedBy: 'one grant per server, and stacks, where every name carries its server’s',
  },
  look_alike: {
    name: 'Look-alike names',
    happens:
      'A server, package or tool is named almost like a known one, by a swapped letter or one of another alphabet, and is installed or called in its place.',
    concerns: all,
    stoppedBy: 'tools listed by exact name; packages pinned to a version',
  },
  supply_chain: {
    name: 'Supply chain',
    happens:
      'A package is taken over or released with a back door, and every machine that starts its newest version runs it.',
    concerns: all,
    stoppedBy:
      'pinned versions, `"pin": true`, and a server that holds no more credentials than it needs',
  },
  indirect_injection: {
    name: 'Indirect prompt injection',
    happens:
      'A page, mail, issue or document that a reading tool returns holds orders. The model follows them with whatever other tools it has.',
    concerns: ['Read', 'Execute'],
    stoppedBy:
      'no writing, executing or sending tools in the grant that reads what strangers write, or approval for them',
  },
  data_exfiltration: {
    name: 'Data exfiltration',
    happens:
      'What one tool read leaves through another: in a message, a URL, a file name, an argument that nobody looks at.',
    concerns: ['Write', 'Execute'],
    stoppedBy: '`require` on recipients, hosts and paths; limits on what sends',
  },
  credential_theft: {
    name: 'Credential theft',
    happens:
      'A tool that can read files, variables or a vault is led to return keys, which then work without the agent and without the gateway.',
    concerns: ['Read', 'Execute'],
    stoppedBy:
      '`deny_if` on paths of keys; no tool that reads secrets in a grant that can also send',
  },
  confused_deputy: {
    name: 'Confused deputy',
    happens:
      'Someone without rights has the agent, which has them, do the work: the server sees only the agent’s credential.',
    concerns: ['Write', 'Execute', 'Destructive', 'Financial'],
    stoppedBy: 'a grant per person or task with `require` rules, not one for all',
  },
  cross_server: {
    name: 'Cross-server attack',
    happens:
      'The output of a tool of one server decides the call of a tool of another, though the two never trusted each other.',
    concerns: ['Write', 'Execute', 'Destructive', 'Financial'],
    stoppedBy: 'separate grants for servers that need not meet; approval where they do',
  },
  command_injection: {
    name: 'Command injection',
    happens:
      'An argument reaches a shell, a database or an interpreter as code, with the rights of the server.',
    concerns: ['Execute'],
    stoppedBy: '`require` with the few forms that are needed, `approve` for the rest',
  },
  server_side_request: {
    name: 'Server-side request',
    happens:
      'A tool that fetches any address is sent to addresses that only the server’s network can reach: metadata services, admin pages, databases.',
    concerns: ['Read', 'Execute'],
    stoppedBy: '`require` on the address: scheme and host from a list',
  },
  scope_creep: {
    name: 'Scope creep',
    happens:
      'A grant made for one task can do far more, and so can whoever gets hold of the agent for a minute.',
    concerns: ['Write', 'Execute', 'Destructive', 'Financial'],
    stoppedBy: '`"default": "deny"` and only the tools that the task needs',
  },
  destructive_autonomy: {
    name: 'Destructive autonomy',
    happens:
      'No attacker is needed: the agent itself takes deleting and starting afresh for the shortest way, in a place that matters.',
    concerns: ['Execute', 'Destructive'],
    stoppedBy: '`"action": "approve"` for the risk class Destructive, or `deny`',
  },
  runaway_spending: {
    name: 'Runaway spending',
    happens:
      'A loop, a misread price or an injected order moves money again and again, faster than a person looks.',
    concerns: ['Financial'],
    stoppedBy: 'approval, and a limit with `increment_from` on the amount',
  },
  wallet_drain: {
    name: 'Wallet drain',
    happens:
      'An approval or signature that looks small gives a stranger the right to take everything later.',
    concerns: ['Financial'],
    stoppedBy: '`deny_if` on allowances and unknown recipients; approval for the rest',
  },
  unwatched_action: {
    name: 'Unwatched action',
    happens:
      'Something irreversible was done and no record says by whom, on whose word, and under which rule.',
    concerns: ['Write', 'Execute', 'Destructive', 'Financial'],
    stoppedBy: 'the decision record; `audit: strict` has it durable before the call goes out',
  },
} as const satisfies Record<string, AttackPattern>

/** The id of an attack pattern. */
export type AttackId = keyof typeof attacks

/** The patterns that work through tools of a category, by id. */
export const attacksOn = (category: Category): readonly AttackId[] =>
  (Object.keys(attacks) as AttackId[]).filter((id) =>
    (attacks[id].concerns as readonly Category[]).includes(category),
  )

/** The OWASP MCP Top 10 (2025, beta). */
export const owasp = {
  MCP01: 'Token Mismanagement and Secret Exposure',
  MCP02: 'Privilege Escalation via Scope Creep',
  MCP03: 'Tool Poisoning',
  MCP04: 'Supply Chain and Dependency Tampering',
  MCP05: 'Command Injection and Execution',
  MCP06: 'Intent Flow Subversion',
  MCP07: 'Insufficient Authentication and Authorization',
  MCP08: 'Lack of Audit and Telemetry',
  MCP09: 'Shadow MCP Servers',
  MCP10: 'Context Injection and Over-Sharing',
} as const

/** The id of an entry of the OWASP MCP Top 10. */
export type OwaspId = keyof typeof owasp

/** The entries that a category is about before anything else is known. */
export const owaspOf = {
  Read: ['MCP10'],
  Write: ['MCP02'],
  Execute: ['MCP05', 'MCP02'],
  Destructive: ['MCP02', 'MCP08'],
  Financial: ['MCP07', 'MCP02', 'MCP08'],
} as const satisfies Record<Category, readonly OwaspId[]>
