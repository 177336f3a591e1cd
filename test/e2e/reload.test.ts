import { afterEach, beforeEach, expect, test } from 'vitest'
import { BareClient, decisionOf, isForwarded } from '../fakes/mcp-http.ts'
import { openRecordingUpstream, type RecordingUpstream } from '../fakes/recording-upstream.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const TOKEN = 'reload-token-0123456789'
const ADMIN = 'reload-admin-token-0123456789abcdef'
const UPSTREAM_KEY = 'reload-upstream-key-0123456789'
const reference = (name: string): string => `\${${name}}`

let space: Space
let upstream: RecordingUpstream
let served: Served
let client: BareClient
beforeEach(async () => {
  space = new Space()
  upstream = await openRecordingUpstream()
  space.later(() => upstream.close())
  allow('take')
  served = await space.serve(config(), {
    env: { E2E_TOKEN: TOKEN, E2E_ADMIN: ADMIN, E2E_KEY: UPSTREAM_KEY, SALLYPORT_LOG: 'debug' },
  })
  client = new BareClient(served.mcp('stub'), TOKEN)
})
afterEach(() => space.close())

const config = (more: object = {}) => ({
  version: 1,
  admin: { token: reference('E2E_ADMIN') },
  servers: {
    stub: { url: upstream.url, headers: { Authorization: `Bearer ${reference('E2E_KEY')}` } },
  },
  policies: { p: './policy.json' },
  grants: { test: { server: 'stub', policy: 'p', token: reference('E2E_TOKEN') } },
  ...more,
})

const allow = (...tools: readonly string[]): string =>
  space.file('policy.json', {
    version: '1',
    default: 'deny',
    tools: Object.fromEntries(tools.map((tool) => [tool, {}])),
  })

/** Calls until the answer is as it should be; gives how long that took. */
async function callUntil(tool: string, expected: boolean): Promise<number> {
  const start = performance.now()
  for (;;) {
    const isAsExpected = isForwarded(await client.call(tool)) === expected
    const elapsed = performance.now() - start
    if (isAsExpected) return elapsed
    if (elapsed > 5_000) throw new Error(`${tool} stays as it was`)
  }
}

/** A command that uses the admin API of the running gateway. */
const cli = (...args: readonly string[]) =>
  space.run([...args, '--url', served.url], { env: { SALLYPORT_ADMIN_TOKEN: ADMIN } })

test('an edit of a policy is in force within a second, for clients that are connected', async () => {
  expect(isForwarded(await client.call('take'))).toBe(true)
  expect(decisionOf(await client.call('peek'))?.rule).toBe('(default deny)')
  allow('peek')
  expect(await callUntil('peek', true)).toBeLessThan(1_000)
  expect(decisionOf(await client.call('take'))?.rule).toBe('(default deny)')
  allow('take', 'peek')
  expect(await callUntil('take', true)).toBeLessThan(1_000)
})

test('an edit that is not valid changes nothing and is logged with its place', async () => {
  space.file('policy.json', '{\n  "version": "1",\n  "default": "alow"\n}\n')
  const { problems } = await served.program.event('config.refused')
  expect(problems).toEqual([expect.stringMatching(/policy\.json:3:.*`allow`/)])
  expect(isForwarded(await client.call('take'))).toBe(true)
  expect(isForwarded(await client.call('peek'))).toBe(false)
  allow('peek')
  await callUntil('peek', true)
  space.file('sallyport.yaml', 'version: 1\nservers: [broken\n')
  await served.program.event('config.refused', (event) =>
    JSON.stringify(event.problems).includes('sallyport.yaml'),
  )
  expect(isForwarded(await client.call('peek'))).toBe(true)
})

test('a grant that is taken out of the file opens nothing within a second', async () => {
  space.file('sallyport.yaml', config({ grants: {} }))
  const start = performance.now()
  for (;;) {
    const { status } = await client.call('take')
    if (status === 401) break
    expect(performance.now() - start).toBeLessThan(1_000)
  }
})

test('a grant made on the command line works at once and, revoked, opens nothing at once', async () => {
  const made = await cli('grant', 'add', 'bob', '--server', 'stub', '--policy', 'p')
  expect(made).toMatchObject({ code: 0 })
  const token = made.out.trim()
  expect(token).toMatch(/^sp_grant_[\w-]{43}$/)
  const bob = new BareClient(served.mcp('stub'), token)
  expect(isForwarded(await bob.call('take'))).toBe(true)
  expect(await cli('grant', 'revoke', 'bob')).toMatchObject({ code: 0 })
  const refused = await bob.call('take')
  expect(refused.status).toBe(401)
  expect(refused.message.error?.data?.code).toBe('grant_unknown')
  expect(refused.headers.get('www-authenticate')).toContain('invalid_token')
  expect(isForwarded(await client.call('take'))).toBe(true)
  await until(() => upstream.calls('take').length === 2, 'two calls at the server')
  expect(upstream.received.every((r) => r.headers.authorization === `Bearer ${UPSTREAM_KEY}`)).toBe(
    true,
  )
  for (const secret of [token, TOKEN, ADMIN, UPSTREAM_KEY, 'wrong-token-0123456789']) {
    await new BareClient(served.mcp('stub'), secret).call('take', { secret: 'argument-value' })
    expect(served.program.err).not.toContain(secret)
  }
  expect(served.program.err).not.toContain('argument-value')
  const log = await space.run(['log', '--json', '--data-dir', space.dataDir])
  expect(log.out).toContain('"bob"')
  for (const secret of [token, TOKEN, ADMIN, UPSTREAM_KEY, 'argument-value'])
    expect(log.out + log.err).not.toContain(secret)
})
