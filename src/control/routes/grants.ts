import { createHash, randomBytes } from 'node:crypto'
import { type GrantPut, type GrantView, grantPost, grantPut } from '../../core/contract/grant.ts'
import { ApiError, type ProblemItem } from '../../core/contract/problem.ts'
import { parseDate } from '../../core/contract/rules.ts'
import { type GrantDocument, parseGrantDocument } from '../../core/contract/stored.ts'
import type { JsonObject } from '../../core/json/json.ts'
import type { StoredNoun } from '../../core/ports.ts'
import type { Grant } from '../../core/snapshot.ts'
import { checked } from '../body.ts'
import { fileOwned, putNoun, removeNoun, storedOf, unknown } from '../nouns.ts'
import type { Route, RouteCall } from '../route.ts'

/** Grants; a token is made here, shown once, and kept as its digest. */
export const grants: readonly Route[] = [
  {
    verb: 'get',
    path: '/grants',
    summary: 'List grants',
    answers: { 200: 'GrantPage' },
    run: async (call) => {
      const items = (await listed(call)).toSorted((a, b) => (a.label < b.label ? -1 : 1))
      return { status: 200, body: { items, nextCursor: null } }
    },
  },
  {
    verb: 'post',
    path: '/grants',
    summary: 'Make a grant; the answer shows its token, once',
    body: 'GrantPost',
    answers: { 201: 'GrantCreated' },
    run: async (call) => {
      const { label, ...put } = checked(grantPost, call.body, 'document_invalid')
      if ((await listed(call)).some((grant) => grant.label === label))
        throw new ApiError('name_taken', `there is already a grant \`${label}\``)
      const token = `sp_grant_${randomBytes(32).toString('base64url')}`
      const digest = createHash('sha256').update(token).digest('hex')
      const view = await write(call, label, put, digest)
      return { status: 201, body: { ...view, token } }
    },
  },
  {
    verb: 'get',
    path: '/grants/{key}',
    summary: 'Show a grant, by label or id',
    answers: { 200: 'Grant' },
    run: async (call) => ({ status: 200, body: await find(call) }),
  },
  {
    verb: 'put',
    path: '/grants/{key}',
    summary: 'Replace what a grant stands for; its token stays',
    body: 'GrantPut',
    answers: { 200: 'Grant' },
    run: async (call) => {
      const { label, source } = await find(call)
      if (source === 'file') throw fileOwned('grant', label)
      const put = checked(grantPut, call.body, 'document_invalid')
      const kept = (await storedOf(call, 'grant')).get(label)
      const digest = kept && parseGrantDocument(kept.document)?.tokenDigest
      if (digest === undefined) throw unknown('grant', call.key)
      return { status: 200, body: await write(call, label, put, digest) }
    },
  },
  {
    verb: 'delete',
    path: '/grants/{key}',
    summary: 'Revoke a grant, at once',
    answers: { 204: 'none' },
    run: async (call) => {
      const { label, source } = await find(call)
      if (source === 'file') throw fileOwned('grant', label)
      await removeNoun(call, 'grant', label)
      return { status: 204 }
    },
  },
]

async function find(call: RouteCall): Promise<GrantView> {
  const grant = (await listed(call)).find((g) => g.label === call.key || g.id === call.key)
  if (grant === undefined) throw unknown('grant', call.key)
  return grant
}

/** The grants of the file as they are in force, and those of the store as they are kept. */
async function listed(call: RouteCall): Promise<readonly GrantView[]> {
  const kept = await storedOf(call, 'grant')
  const ids = new Set([...kept.values()].map((noun) => noun.id))
  const ofFile = [...call.ports.snapshot().grants.values()].filter((grant) => !ids.has(grant.id))
  const labels = new Set(ofFile.map((grant) => grant.label))
  const ofStore = [...kept.values()].flatMap((noun) => {
    const document = parseGrantDocument(noun.document)
    return document === undefined || labels.has(noun.name) ? [] : [ofDocument(noun, document)]
  })
  return [...ofFile.map(ofGrant), ...ofStore]
}

const iso = (at: number | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString()

const ofGrant = (grant: Grant): GrantView => ({
  id: grant.id,
  label: grant.label,
  server: grant.server ?? null,
  stack: grant.stack?.name ?? null,
  policy: grant.policy?.name ?? null,
  policies: Object.fromEntries(
    [...(grant.stack?.policies ?? [])].flatMap(([member, policy]) =>
      policy === undefined ? [] : [[member, policy.name]],
    ),
  ),
  tags: grant.tags as GrantView['tags'],
  notBefore: iso(grant.notBefore),
  expires: iso(grant.expiresAt),
  source: 'file',
})

const ofDocument = (noun: StoredNoun, document: GrantDocument): GrantView => ({
  id: noun.id,
  label: noun.name,
  server: document.server ?? null,
  stack: document.stack?.name ?? null,
  policy: document.policy ?? null,
  policies: { ...document.stack?.policies },
  tags: document.tags as GrantView['tags'],
  notBefore: iso(document.notBefore),
  expires: iso(document.expiresAt),
  source: 'store',
})

async function write(
  call: RouteCall,
  label: string,
  put: GrantPut,
  tokenDigest: string,
): Promise<GrantView> {
  const { policies } = call.ports.snapshot()
  const problems: ProblemItem[] = []
  const opened = openedBy(call, put, problems)
  if (put.policy !== undefined && !policies.has(put.policy))
    problems.push({ pointer: '/policy', message: `there is no policy \`${put.policy}\`` })
  const notBefore = put.notBefore === undefined ? undefined : parseDate(put.notBefore)
  const expiresAt = put.expires === undefined ? undefined : parseDate(put.expires)
  if (notBefore !== undefined && expiresAt !== undefined && expiresAt <= notBefore)
    problems.push({ pointer: '/expires', message: '`expires` is not after `notBefore`' })
  if (problems.length > 0) throw new ApiError('document_invalid', undefined, problems)
  const document: GrantDocument = {
    ...opened,
    policy: put.policy,
    tokenDigest,
    tags: (put.tags ?? {}) as JsonObject,
    notBefore,
    expiresAt,
  }
  const noun = await putNoun(call, {
    kind: 'grant',
    name: label,
    document: JSON.stringify(document),
  })
  return ofDocument(noun, document)
}

/** What a grant opens: a server, or a stack; anything else is a problem. */
function openedBy(
  call: RouteCall,
  put: GrantPut,
  problems: ProblemItem[],
): Pick<GrantDocument, 'server' | 'stack'> {
  const { servers, stacks, policies } = call.ports.snapshot()
  const wrong = (pointer: string, message: string): void => void problems.push({ pointer, message })
  if ((put.server === undefined) === (put.stack === undefined))
    wrong('', 'a grant opens a `server` or a `stack`: one of the two')
  if (put.policies !== undefined && put.stack === undefined)
    wrong('/policies', '`policies` belongs to a grant of a `stack`')
  const server = put.server === undefined ? undefined : servers.get(put.server)
  if (put.server !== undefined && server === undefined)
    wrong('/server', `there is no server \`${put.server}\``)
  const stack = put.stack === undefined ? undefined : stacks.get(put.stack)
  if (put.stack !== undefined && stack === undefined)
    wrong('/stack', `there is no stack \`${put.stack}\``)
  for (const [member, policy] of Object.entries(put.policies ?? {})) {
    const pointer = `/policies/${member}`
    if (stack !== undefined && !stack.servers.includes(member))
      wrong(pointer, `\`${member}\` is no server of the stack \`${stack.name}\``)
    if (!policies.has(policy)) wrong(pointer, `there is no policy \`${policy}\``)
  }
  return {
    server: server?.name,
    stack: stack === undefined ? undefined : { name: stack.name, policies: put.policies ?? {} },
  }
}
