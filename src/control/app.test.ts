import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  parseGrantDocument,
  parseServerDocument,
  parseStackDocument,
} from '../core/contract/stored.ts'
import { loadPolicy } from '../core/policy/index.ts'
import type { NounStore, RecordQuery, RecordStore, StoredNoun } from '../core/ports.ts'
import type { DecisionRecord } from '../core/record/record.ts'
import type { Grant, LoadedPolicy, ServerEntry, Snapshot, StackEntry } from '../core/snapshot.ts'
import { createControl } from './app.ts'
import { isPrivateHost } from './private-host.ts'
import { routes } from './routes/index.ts'

const token = 'sp_admin_for_these_tests'
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const at = Date.UTC(2026, 10, 1)
const secret = 'hunter2-of-upstream'

/** Nouns in memory, as any store keeps them. */
function memoryNouns(): NounStore & { isDown: boolean } {
  const kept = new Map<string, StoredNoun>()
  let revision = 0
  const keyOf = (kind: string, name: string): string => JSON.stringify([kind, name])
  const store = {
    isDown: false,
    list: async () => {
      if (store.isDown) throw new Error(`the disk says ${secret}`)
      return [...kept.values()]
    },
    put: async (noun: Parameters<NounStore['put']>[0]) => {
      revision++
      const before = kept.get(keyOf(noun.kind, noun.name))
      const id = before?.id ?? `0190a000-0000-7000-8000-${String(revision).padStart(12, '0')}`
      const { at: updatedAt, ...rest } = noun
      const made = { ...rest, id, version: (before?.version ?? 0) + 1, createdAt: at, updatedAt }
      kept.set(keyOf(noun.kind, noun.name), made)
      return made
    },
    remove: async (kind: string, name: string) => {
      revision++
      return kept.delete(keyOf(kind, name))
    },
    revision: () => revision,
  }
  return store
}

const record = (n: number): DecisionRecord => ({
  id: `0190a000-0000-7000-8000-${String(n).padStart(12, '0')}`,
  at: at + n,
  requestId: String(n),
  server: 'stripe',
  grant: { id: 'g1', label: 'alice' },
  session: undefined,
  client: { name: 'c', version: '1' },
  protocolVersion: '2025-11-25',
  method: 'tools/call',
  tool: n % 2 === 0 ? 'refund' : undefined,
  effect: 'deny',
  rule: '(default deny)',
  message: 'm',
  policy: 'readonly',
  policyVersion: 'v',
  mode: 'enforce',
  argumentKeys: ['amount'],
  outcome: 'denied',
  code: undefined,
  upstreamStatus: undefined,
  latencyMs: 1.5,
  category: 'Financial',
  severity: 'Critical',
})

/** Records in memory; it keeps what it was asked. */
function memoryRecords(count: number): RecordStore & { asked: RecordQuery[] } {
  const all = Array.from({ length: count }, (_, i) => record(count - i))
  const asked: RecordQuery[] = []
  return {
    asked,
    put: () => undefined,
    flush: async () => undefined,
    dropped: () => 0,
    list: async (query) => {
      asked.push(query)
      return all
        .filter((r) => query.before === undefined || r.id < query.before)
        .slice(0, query.limit)
    },
  }
}

const policyOf = (id: string, name: string, text: string, version = 'v'): LoadedPolicy => {
  const loaded = loadPolicy(text, { format: 'json' })
  if (!loaded.ok) throw new Error('the policy of the test is not valid')
  return { id, name, version, policy: loaded.policy }
}
const ofFile: ServerEntry = {
  id: '00000000-0000-7000-8000-00000000000a',
  name: 'stripe',
  target: {
    kind: 'http',
    url: 'https://h/mcp?key=hunter2-of-upstream',
    headers: { 'X-Key': secret },
    transport: 'auto',
  },
  era: 'auto',
  methods: [],
  source: 'file',
}
const denyAll = '{"version":"1","default":"deny","tools":{}}'
const filePolicy = policyOf('00000000-0000-7000-8000-00000000000b', 'readonly', denyAll)
const fileGrant: Grant = {
  id: '00000000-0000-7000-8000-00000000000c',
  label: 'alice',
  server: 'stripe',
  policy: filePolicy,
  tags: {},
  notBefore: undefined,
  expiresAt: at,
}

let server: Server
let url: string
let nouns: ReturnType<typeof memoryNouns>
let records: ReturnType<typeof memoryRecords>
let snapshot: Snapshot
let mayAddCommands: boolean
let failures: unknown[]

/** File and store merged: what the program does after every change. */
async function changed(): Promise<void> {
  const servers = new Map([ofFile].flatMap((s) => [[s.name, s] as const, [s.id, s] as const]))
  const policies = new Map([[filePolicy.name, filePolicy]])
  const stacks = new Map<string, StackEntry>()
  const grants = new Map([[sha256('alice-token-01234'), fileGrant]])
  for (const { kind, id, name, document, version } of await nouns.list()) {
    if (kind === 'policy') policies.set(name, policyOf(id, name, document, String(version)))
    const server = kind === 'server' ? parseServerDocument(document) : undefined
    if (server !== undefined) {
      const entry: ServerEntry = { id, name, source: 'store', ...server }
      servers.set(name, entry).set(id, entry)
    }
    const grant = kind === 'grant' ? parseGrantDocument(document) : undefined
    const stack = kind === 'stack' ? parseStackDocument(document) : undefined
    if (stack !== undefined) stacks.set(name, { id, name, source: 'store', ...stack })
    if (grant !== undefined) {
      const policy = policies.get(grant.policy ?? '')
      grants.set(grant.tokenDigest, { ...grant, id, label: name, policy, stack: undefined })
    }
  }
  snapshot = { servers, stacks, policies, grants }
}

beforeEach(async () => {
  nouns = memoryNouns()
  records = memoryRecords(5)
  mayAddCommands = false
  failures = []
  await changed()
  const control = createControl({
    nouns,
    records,
    snapshot: () => snapshot,
    adminTokenDigest: sha256(token),
    mayAddCommands: () => mayAddCommands,
    changed,
    clock: { now: () => at },
    failed: (thrown) => failures.push(thrown),
  })
  server = createServer(control)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`
})
afterEach(() => new Promise((resolve) => server.close(resolve)))

async function ask(
  verb: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${url}${path}`, {
    method: verb,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  const json: any = text === '' ? undefined : JSON.parse(text)
  return { status: response.status, headers: response.headers, text, json }
}

describe('the admin token', () => {
  test.each<[string, Record<string, string>]>([
    ['a missing header', { Authorization: '' }],
    ['another scheme', { Authorization: `Basic ${token}` }],
    ['another token', { Authorization: 'Bearer sp_admin_wrong' }],
    ['a prefix of it', { Authorization: `Bearer ${token.slice(0, -1)}` }],
    ['more than it', { Authorization: `Bearer ${token}x` }],
    ['a grant token', { Authorization: 'Bearer alice-token-01234' }],
  ])('%s opens nothing, and says how', async (_name, headers) => {
    for (const path of ['/servers', '/openapi.json', '/nothing']) {
      const answer = await ask('GET', path, undefined, headers)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="sallyport-admin"/)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(answer.json).toMatchObject({ status: 401, code: expect.stringMatching(/^token_/) })
    }
  })
  test('every route asks for it', async () => {
    for (const route of routes) {
      const path = route.path.replace('{key}', 'x')
      const answer = await ask(route.verb.toUpperCase(), path, route.body && '{}', {
        Authorization: 'Bearer no',
      })
      expect(answer.status, `${route.verb} ${route.path}`).toBe(401)
    }
  })
})

describe('decisions', () => {
  test('have the fields of the contract, newest first, page by page', async () => {
    const first = await ask('GET', '/decisions?limit=3')
    expect(first.json.items.map((d: { requestId: string }) => d.requestId)).toEqual(['5', '4', '3'])
    expect(Object.keys(first.json.items[0]).sort()).toEqual(
      'id at requestId server grant session client protocolVersion method tool effect rule message policy policyVersion mode argumentKeys outcome code upstreamStatus latencyMs category severity'
        .split(' ')
        .sort(),
    )
    expect(first.json.items[0]).toMatchObject({
      at: '2026-11-01T00:00:00.005Z',
      session: null,
      tool: null,
    })
    const second = await ask('GET', `/decisions?limit=3&cursor=${first.json.nextCursor}`)
    expect(second.json.items.map((d: { requestId: string }) => d.requestId)).toEqual(['2', '1'])
    expect(second.json.nextCursor).toBeNull()
  })
  test('are filtered by the store, with names for ids', async () => {
    await ask(
      'GET',
      `/decisions?server=${ofFile.id}&grant=alice&effect=deny&tool=t&since=2026-01-01`,
    )
    expect(records.asked[0]).toEqual({
      limit: 51,
      server: 'stripe',
      grant: fileGrant.id,
      effect: 'deny',
      tool: 't',
      since: Date.UTC(2026, 0, 1),
    })
  })
  test.each([
    'limit=0',
    'limit=1001',
    'limit=x',
    'cursor=1',
    'effect=no',
    'since=now',
    'other=1',
    'limit=1&limit=2',
  ])('refuse the query %s', async (query) => {
    const answer = await ask('GET', `/decisions?${query}`)
    expect([answer.status, answer.json.code]).toEqual([400, 'query_invalid'])
  })
})

describe('servers', () => {
  const put = { url: 'https://mcp.example.com/mcp', headers: { Authorization: `Bearer ${secret}` } }
  test('are added, shown, replaced and removed, at once', async () => {
    const made = await ask('POST', '/servers', { name: 'crm', ...put, methods: ['vendor/x'] })
    expect(made.status).toBe(201)
    expect(snapshot.servers.get('crm')?.target).toMatchObject({ headers: put.headers })
    expect((await ask('GET', '/servers')).json.items.map((s: { name: string }) => s.name)).toEqual([
      'crm',
      'stripe',
    ])
    expect((await ask('GET', `/servers/${made.json.id}`)).json).toEqual(made.json)
    const other = await ask('PUT', '/servers/crm', { url: 'https://other.example.com' })
    expect(other.json).toMatchObject({ id: made.json.id, headers: [] })
    expect((await ask('DELETE', '/servers/crm')).status).toBe(204)
    expect(snapshot.servers.has('crm')).toBe(false)
    expect((await ask('DELETE', '/servers/crm')).json.code).toBe('noun_unknown')
  })
  test('never show header values or the query of a URL', async () => {
    await ask('POST', '/servers', { name: 'crm', ...put })
    for (const path of ['/servers', '/servers/crm', '/servers/stripe'])
      expect((await ask('GET', path)).text).not.toContain(secret)
  })
  test('of the file are read-only, with an explanation', async () => {
    for (const [verb, body] of [
      ['PUT', put],
      ['DELETE', undefined],
    ] as const) {
      const answer = await ask(verb, '/servers/stripe', body)
      expect(answer.json).toMatchObject({
        status: 409,
        code: 'file_owned',
        detail: 'edit server `stripe` there: the file is followed',
      })
    }
    expect((await ask('POST', '/servers', { name: 'stripe', ...put })).json.code).toBe('name_taken')
  })
  test('with a command are refused unless the configuration allows them', async () => {
    const body = { name: 'x', command: 'sh', args: ['-c', 'true'], env: { KEY: secret } }
    const refused = await ask('POST', '/servers', body)
    expect([refused.status, refused.json.code]).toEqual([403, 'commands_refused'])
    expect(snapshot.servers.has('x')).toBe(false)
    mayAddCommands = true
    const made = await ask('POST', '/servers', body)
    expect(made.json).toMatchObject({ kind: 'stdio', env: ['KEY'], instances: 'session' })
    expect(made.text).not.toContain(secret)
  })
  test.each([
    'http://169.254.169.254/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://017700000001/',
    'http://127.1/',
    'http://[::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://localhost./',
    'http://0/',
    'http://①②⑦.0.0.1/',
    'http://intranet/',
    'http://10.0.0.1/',
    'http://[fd00::1]/',
  ])('in a private network, as %s, are refused', async (address) => {
    const answer = await ask('POST', '/servers', { name: 'x', url: address })
    expect([answer.status, answer.json.code]).toEqual([403, 'private_refused'])
  })
  test.each([
    [{ url: 'https://user:hunter2-of-upstream@h.example/' }, '/url'],
    [{ url: 'ftp://h.example/' }, '/url'],
    [{ url: 'https://h.example', headers: { Host: 'x' } }, '/headers/Host'],
    [{ url: 'https://h.example', headers: { X: 'hunter2-of-upstream\n' } }, '/headers/X'],
    [{ url: 'https://h.example', token: 'x' }, '/token'],
    [{ url: 'https://h.example', command: 'sh' }, '/command'],
    [{ name: 'UPPER', url: 'https://h.example' }, '/name'],
    [{}, '/url'],
  ])('%j is refused with the place %s', async (body, pointer) => {
    const answer = await ask('POST', '/servers', { name: 'x', ...body })
    expect(answer.status).toBe(422)
    expect(answer.json.problems.map((p: { pointer: string }) => p.pointer)).toContain(pointer)
    expect(answer.text).not.toContain(secret)
  })
})

describe('policies', () => {
  test('are put with the text they have, and get a new version each time', async () => {
    const text =
      '{"version":"1","default":"deny","tools":{"pay":{"deny_if":[{"conditions":[{"path":"args.n","op":"gt","value":9007199254740993}]}]}}}'
    const first = await ask('PUT', '/policies/pay', text)
    expect(first.json).toMatchObject({ name: 'pay', version: '1', source: 'store' })
    expect((await nouns.list())[0]?.document).toBe(text)
    expect((await ask('PUT', '/policies/pay', text)).json.version).toBe('2')
    expect((await ask('GET', '/policies/pay')).json.document.default).toBe('deny')
    expect((await ask('GET', '/policies/pay')).text).toContain('"value":9007199254740993')
    expect((await ask('DELETE', '/policies/pay')).status).toBe(204)
  })
  test('that do not validate are refused with every problem, and the last good one stays', async () => {
    await ask('PUT', '/policies/pay', denyAll)
    const answer = await ask('PUT', '/policies/pay', '{"version":"1","default":"dney","tols":{}}')
    expect(answer.status).toBe(422)
    expect(answer.json.problems).toHaveLength(2)
    expect(answer.json.problems[0]).toMatchObject({
      line: 1,
      column: expect.any(Number),
      message: expect.any(String),
    })
    expect((await ask('GET', '/policies/pay')).json).toMatchObject({
      version: '1',
      document: JSON.parse(denyAll),
    })
  })
  test('are made by POST with a name, once', async () => {
    const body = { name: 'new', document: JSON.parse(denyAll) }
    expect((await ask('POST', '/policies', body)).status).toBe(201)
    expect((await ask('POST', '/policies', body)).json.code).toBe('name_taken')
  })
  test('of the file are read-only', async () => {
    expect((await ask('PUT', '/policies/readonly', denyAll)).json.code).toBe('file_owned')
    expect((await ask('DELETE', '/policies/readonly')).json.code).toBe('file_owned')
  })
})

describe('grants', () => {
  const post = {
    label: 'bob',
    server: 'stripe',
    policy: 'readonly',
    tags: { team: 'x' },
    expires: '2027-01-31',
  }
  test('show their token once, and only its digest is kept', async () => {
    const made = await ask('POST', '/grants', post)
    expect(made.status).toBe(201)
    expect(made.json.token).toMatch(/^sp_grant_[A-Za-z0-9_-]{43}$/)
    expect(made.json).toMatchObject({
      label: 'bob',
      expires: '2027-01-31T00:00:00.000Z',
      source: 'store',
    })
    expect(snapshot.grants.get(sha256(made.json.token))?.label).toBe('bob')
    const kept = JSON.stringify(await nouns.list())
    expect(kept).not.toContain(made.json.token)
    for (const path of ['/grants', '/grants/bob', `/grants/${made.json.id}`]) {
      const shown = await ask('GET', path)
      expect(shown.text).not.toContain(made.json.token)
      expect(shown.text).not.toContain(sha256(made.json.token))
    }
  })
  test('keep their token when they are replaced', async () => {
    const { token: made } = (await ask('POST', '/grants', post)).json
    expect((await ask('PUT', '/grants/bob', { server: 'stripe' })).json).toMatchObject({
      policy: null,
      expires: null,
    })
    expect(snapshot.grants.get(sha256(made))?.policy).toBeUndefined()
  })
  test('are gone the moment they are removed', async () => {
    const { token: made } = (await ask('POST', '/grants', post)).json
    expect((await ask('DELETE', '/grants/bob')).status).toBe(204)
    expect(snapshot.grants.has(sha256(made))).toBe(false)
  })
  test('of the file are read-only', async () => {
    expect((await ask('DELETE', '/grants/alice')).json.code).toBe('file_owned')
    expect((await ask('POST', '/grants', { ...post, label: 'alice' })).json.code).toBe('name_taken')
  })
  test.each([
    [{ server: 'nope' }, '/server'],
    [{ policy: 'nope' }, '/policy'],
    [{ expires: '2027-02-30' }, '/expires'],
    [{ notBefore: '2028-01-01' }, '/expires'],
    [{ token: 'chosen-by-the-caller' }, '/token'],
    [{ tokenDigest: '00' }, '/tokenDigest'],
    [{ label: '<img src=x>' }, '/label'],
  ])('%j is refused', async (change, pointer) => {
    const answer = await ask('POST', '/grants', { ...post, ...change })
    expect(answer.status).toBe(422)
    expect(answer.json.problems.map((p: { pointer: string }) => p.pointer)).toContain(pointer)
    expect(answer.text).not.toContain('chosen-by-the-caller')
  })
  test('take no `__proto__`', async () => {
    const body = `${JSON.stringify(post).slice(0, -1)},"__proto__":{"role":"admin"}}`
    expect((await ask('POST', '/grants', body)).status).toBe(422)
  })
})

describe('stacks', () => {
  const post = { name: 'work', servers: ['stripe'] }
  test('are made, shown, replaced and removed, at once', async () => {
    const made = await ask('POST', '/stacks', post)
    expect([made.status, made.json]).toMatchObject([201, { ...post, source: 'store' }])
    expect(snapshot.stacks.get('work')?.servers).toEqual(['stripe'])
    expect((await ask('POST', '/stacks', post)).json.code).toBe('name_taken')
    await ask('POST', '/servers', { name: 'other', url: 'https://mcp.example.com/mcp' })
    const replaced = await ask('PUT', '/stacks/work', { servers: ['other', 'stripe'] })
    expect(replaced.json.servers).toEqual(['other', 'stripe'])
    expect((await ask('GET', '/stacks')).json.items).toHaveLength(1)
    expect((await ask('GET', '/stacks/work')).json.servers).toEqual(['other', 'stripe'])
    expect((await ask('DELETE', '/stacks/work')).status).toBe(204)
    expect((await ask('GET', '/stacks/work')).status).toBe(404)
  })
  test.each([
    [{ ...post, servers: [] }, '/servers'],
    [{ ...post, servers: ['stripe', 'stripe'] }, '/servers'],
    [{ ...post, servers: ['a__b'] }, '/servers/0'],
    [{ ...post, servers: ['nobody'] }, '/servers/0'],
    // A member is named by its name: an id would give its tools a second one.
    [{ ...post, servers: [ofFile.id] }, '/servers/0'],
    [{ ...post, name: 'Work' }, '/name'],
  ])('as %j are refused', async (body, pointer) => {
    const { status, json } = await ask('POST', '/stacks', body)
    expect([status, json.problems[0].pointer]).toEqual([422, pointer])
  })
  test('are opened by grants with policies by server', async () => {
    await ask('POST', '/stacks', post)
    const grant = { label: 'bob', stack: 'work', policies: { stripe: 'readonly' } }
    const made = await ask('POST', '/grants', grant)
    expect([made.status, made.json]).toMatchObject([
      201,
      { stack: 'work', server: null, policy: null, policies: { stripe: 'readonly' } },
    ])
    expect((await ask('GET', '/grants/bob')).json.policies).toEqual({ stripe: 'readonly' })
  })
  test.each([
    [{}, ''],
    [{ stack: 'work', server: 'stripe' }, ''],
    [{ stack: 'none' }, '/stack'],
    [{ stack: 'work', policies: { nobody: 'readonly' } }, '/policies/nobody'],
    [{ stack: 'work', policies: { stripe: 'none' } }, '/policies/stripe'],
    [{ server: 'stripe', policies: { stripe: 'readonly' } }, '/policies'],
  ])('are not opened by a grant of %j', async (opens, pointer) => {
    await ask('POST', '/stacks', post)
    const { status, json } = await ask('POST', '/grants', { label: 'bob', ...opens })
    expect([status, json.problems[0].pointer]).toEqual([422, pointer])
  })
})

describe('a body', () => {
  test.each<[string, string, Record<string, string>, number]>([
    ['that is a form', '{}', { 'Content-Type': 'text/plain' }, 415],
    ['in another charset', '{}', { 'Content-Type': 'application/json; charset=utf-16' }, 415],
    ['with an encoding', '{}', { 'Content-Encoding': 'gzip' }, 415],
    ['that is not JSON', '{', {}, 400],
    ['with a key twice', '{"server":"a","server":"b"}', {}, 400],
    ['that is too large', `"${'x'.repeat(1 << 20)}"`, {}, 413],
    ['that is nested too deeply', '['.repeat(1000) + ']'.repeat(1000), {}, 400],
  ])('%s is refused', async (_name, body, headers, status) => {
    expect((await ask('POST', '/grants', body, headers)).status).toBe(status)
  })
})

test('an unknown path and an unknown verb say so', async () => {
  expect((await ask('GET', '/nothing')).json.code).toBe('path_unknown')
  const answer = await ask('PATCH', '/servers/stripe', {})
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, PUT, DELETE'])
})

test('a store that fails is 503, and its reason goes to the log only', async () => {
  nouns.isDown = true
  const answer = await ask('GET', '/grants')
  expect([answer.status, answer.json.code]).toEqual([503, 'store_failed'])
  expect(answer.text).not.toContain(secret)
  expect(failures).toHaveLength(1)
})

test('OpenAPI describes every route, and every reference in it leads somewhere', async () => {
  const { json, text } = await ask('GET', '/openapi.json')
  expect(json.openapi).toBe('3.1.0')
  for (const route of routes)
    expect(json.paths[`/api/v1${route.path}`][route.verb].summary).toBe(route.summary)
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map((m) => m[1])
  expect(references.length).toBeGreaterThan(20)
  for (const name of references) expect(Object.keys(json.components.schemas)).toContain(name)
})

test('public addresses are not private', () => {
  for (const host of ['mcp.example.com', '8.8.8.8', '[2606:4700::1]', '172.32.0.1'])
    expect(isPrivateHost(host), host).toBe(false)
})
