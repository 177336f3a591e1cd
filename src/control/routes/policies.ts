import { type PolicyView, policyPost, policyPut } from '../../core/contract/policy.ts'
import { ApiError } from '../../core/contract/problem.ts'
import { wrongPolicyName } from '../../core/contract/rules.ts'
import { nodeOf, parseNodes, toValue } from '../../core/json/parse.ts'
import { loadPolicy } from '../../core/policy/index.ts'
import { checked, parseBody } from '../body.ts'
import { fileOwned, putNoun, removeNoun, storedOf, unknown } from '../nouns.ts'
import type { Route, RouteCall } from '../route.ts'

/** Policies; one that does not validate never replaces the one in force. */
export const policies: readonly Route[] = [
  {
    verb: 'get',
    path: '/policies',
    summary: 'List policies',
    answers: { 200: 'PolicyPage' },
    run: async (call) => {
      const kept = await storedOf(call, 'policy')
      const inForce = [...call.ports.snapshot().policies.values()]
      const items = inForce
        .map((policy): PolicyView => {
          const { id, name, version } = policy
          return { id, name, version, source: kept.get(name)?.id === id ? 'store' : 'file' }
        })
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      return { status: 200, body: { items, nextCursor: null } }
    },
  },
  {
    verb: 'post',
    path: '/policies',
    summary: 'Add a policy',
    body: 'PolicyPost',
    answers: { 201: 'PolicyWritten' },
    run: async (call) => {
      const { name } = checked(policyPost, call.body, 'document_invalid')
      const isTaken = call.ports.snapshot().policies.has(name)
      if (isTaken || (await storedOf(call, 'policy')).has(name))
        throw new ApiError('name_taken', `there is already a policy \`${name}\``)
      const { node } = parseBody(call.text)
      const document = nodeOf(node, 'document')
      // The text itself is kept, so that its numbers stay as they were written.
      const text = call.text.slice(document?.start, document?.end)
      return { status: 201, body: await write(call, name, text) }
    },
  },
  {
    verb: 'get',
    path: '/policies/{key}',
    summary: 'Show a policy, by name or id',
    answers: { 200: 'PolicyShown' },
    run: async (call) => {
      const { policy, source, document } = await find(call)
      const { id, name, version } = policy
      return { status: 200, body: { id, name, version, source, document } }
    },
  },
  {
    verb: 'put',
    path: '/policies/{key}',
    summary: 'Add or replace a policy; the body is the policy document',
    body: 'PolicyPut',
    answers: { 200: 'PolicyWritten' },
    run: async (call) => {
      const wrong = wrongPolicyName(call.key)
      if (wrong !== undefined)
        throw new ApiError('document_invalid', undefined, [{ pointer: '', message: wrong }])
      const inForce = call.ports.snapshot().policies.get(call.key)
      if (
        inForce !== undefined &&
        (await storedOf(call, 'policy')).get(call.key)?.id !== inForce.id
      )
        throw fileOwned('policy', call.key)
      checked(policyPut, call.body, 'document_invalid')
      return { status: 200, body: await write(call, call.key, call.text) }
    },
  },
  {
    verb: 'delete',
    path: '/policies/{key}',
    summary: 'Remove a policy; grants that name it are denied everything',
    answers: { 204: 'none' },
    run: async (call) => {
      const { policy, source } = await find(call)
      if (source === 'file') throw fileOwned('policy', policy.name)
      await removeNoun(call, 'policy', policy.name)
      return { status: 204 }
    },
  },
]

async function find(call: RouteCall) {
  const kept = await storedOf(call, 'policy')
  const inForce = [...call.ports.snapshot().policies.values()]
  const policy = inForce.find((p) => p.name === call.key || p.id === call.key)
  if (policy === undefined) throw unknown('policy', call.key)
  const noun = kept.get(policy.name)
  return noun?.id === policy.id
    ? { policy, source: 'store' as const, document: toValue(parseNodes(noun.document)) }
    : { policy, source: 'file' as const, document: null }
}

async function write(call: RouteCall, name: string, text: string) {
  const result = loadPolicy(text, { format: 'json' })
  if (!result.ok) throw new ApiError('document_invalid', undefined, result.problems)
  const noun = await putNoun(call, { kind: 'policy', name, document: text })
  return {
    id: noun.id,
    name,
    version: String(noun.version),
    source: 'store',
    warnings: result.warnings.map(({ pointer, message }) => ({ pointer, message })),
  }
}
