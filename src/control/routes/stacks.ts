import { ApiError, type ProblemItem } from '../../core/contract/problem.ts'
import { type StackPut, type StackView, stackPost, stackPut } from '../../core/contract/stack.ts'
import type { StackEntry } from '../../core/snapshot.ts'
import { checked } from '../body.ts'
import { fileOwned, putNoun, removeNoun, storedOf, unknown } from '../nouns.ts'
import type { Route, RouteCall } from '../route.ts'

/** Stacks: several servers as one endpoint. */
export const stacks: readonly Route[] = [
  {
    verb: 'get',
    path: '/stacks',
    summary: 'List stacks',
    answers: { 200: 'StackPage' },
    run: async ({ ports }) => {
      const all = [...new Set(ports.snapshot().stacks.values())]
      const items = all.map(viewOf).toSorted((a, b) => (a.name < b.name ? -1 : 1))
      return { status: 200, body: { items, nextCursor: null } }
    },
  },
  {
    verb: 'post',
    path: '/stacks',
    summary: 'Make a stack of servers',
    body: 'StackPost',
    answers: { 201: 'Stack' },
    run: async (call) => {
      const { name, ...put } = checked(stackPost, call.body, 'document_invalid')
      const isTaken = call.ports.snapshot().stacks.has(name)
      if (isTaken || (await storedOf(call, 'stack')).has(name))
        throw new ApiError('name_taken', `there is already a stack \`${name}\``)
      return { status: 201, body: await write(call, name, put) }
    },
  },
  {
    verb: 'get',
    path: '/stacks/{key}',
    summary: 'Show a stack, by name or id',
    answers: { 200: 'Stack' },
    run: async (call) => ({ status: 200, body: viewOf(find(call)) }),
  },
  {
    verb: 'put',
    path: '/stacks/{key}',
    summary: 'Replace the members of a stack',
    body: 'StackPut',
    answers: { 200: 'Stack' },
    run: async (call) => {
      const stack = find(call)
      if (stack.source === 'file') throw fileOwned('stack', stack.name)
      const put = checked(stackPut, call.body, 'document_invalid')
      return { status: 200, body: await write(call, stack.name, put) }
    },
  },
  {
    verb: 'delete',
    path: '/stacks/{key}',
    summary: 'Remove a stack',
    answers: { 204: 'none' },
    run: async (call) => {
      const stack = find(call)
      if (stack.source === 'file') throw fileOwned('stack', stack.name)
      await removeNoun(call, 'stack', stack.name)
      return { status: 204 }
    },
  },
]

function find({ ports, key }: RouteCall): StackEntry {
  const stack = ports.snapshot().stacks.get(key)
  if (stack === undefined) throw unknown('stack', key)
  return stack
}

async function write(call: RouteCall, name: string, put: StackPut): Promise<StackView> {
  const { servers } = call.ports.snapshot()
  // By name only: a stack's tools are named after its members.
  const problems: ProblemItem[] = put.servers.flatMap((member, i) =>
    servers.get(member)?.name === member
      ? []
      : [{ pointer: `/servers/${i}`, message: `there is no server \`${member}\`` }],
  )
  if (problems.length > 0) throw new ApiError('document_invalid', undefined, problems)
  const document = JSON.stringify({ servers: put.servers })
  const noun = await putNoun(call, { kind: 'stack', name, document })
  return viewOf({ id: noun.id, name, servers: put.servers, source: 'store' })
}

const viewOf = ({ id, name, servers, source }: StackEntry): StackView => ({
  id,
  name,
  servers: [...servers],
  source,
})
