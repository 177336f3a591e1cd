import { randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { capturedIo } from '../../../test/fakes/captured-io.ts'
import { createControl } from '../../control/app.ts'
import { uuid7Source } from '../../core/uuid7.ts'
import { MemoryNouns } from '../../store/memory/nouns.ts'
import { MemoryRecords } from '../../store/memory/records.ts'
import { adminTokenDigest } from '../admin-token.ts'
import { digestOf } from '../config/secret.ts'
import { loadFiles } from '../load.ts'
import { run } from '../run.ts'
import { type ConfigWatch, watchConfig } from '../watch.ts'

let dir: string
let server: Server
let url: string
let watch: ConfigWatch

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-api-'))
  const file = join(dir, 'sallyport.yaml')
  writeFileSync(
    file,
    'version: 1\nservers: { stripe: { url: "https://h.example", headers: { X-Key: hunter2 } } }\n',
  )
  writeFileSync(join(dir, 'p.yaml'), 'version: "1"\ndefault: deny\ntools: { pay: {} }\n')
  writeFileSync(join(dir, 'bad.json'), '{"version":"1",\n"default":"dney"}')
  const nouns = new MemoryNouns(uuid7Source(randomFillSync))
  const log = () => undefined
  const watched = await watchConfig({
    load: () => loadFiles(file, {}),
    nouns,
    onSwap: () => undefined,
    log,
  })
  if (!watched.ok) throw new Error('the configuration of the test is not valid')
  watch = watched.watch
  const control = createControl({
    nouns,
    records: new MemoryRecords(),
    snapshot: () => watch.current().snapshot,
    adminTokenDigest: adminTokenDigest({ configured: undefined, dataDir: dir, log }),
    mayAddCommands: () => watch.current().config.admin.commands,
    changed: () => watch.changed(),
    clock: { now: () => 0 },
    failed: () => undefined,
  })
  server = createServer((request, response) => {
    if (request.url === '/other/api/v1/servers') response.writeHead(200).end('<html>')
    else control(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  await watch.close()
  await new Promise((resolve) => server.close(resolve))
  rmSync(dir, { recursive: true })
})

async function ran(argv: string[], env: Record<string, string> = {}) {
  const io = capturedIo({ env, cwd: dir, now: () => Date.UTC(2026, 10, 1) })
  // Before `--`, behind which everything belongs to the command.
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  const flags = ['--url', url, '--data-dir', dir]
  const code = await run([...argv.slice(0, end), ...flags, ...argv.slice(end)], io)
  return { code, out: io.out(), err: io.err() }
}

describe('the admin API from the shell', () => {
  test('takes the token of the data dir when the environment has none', async () => {
    const { code, out } = await ran(['server', 'list'])
    expect(code).toBe(0)
    expect(out).toBe('NAME    KIND  FROM  TARGET\nstripe  http  file  https://h.example\n')
  })
  test('adds, shows and removes a server; header values never come back', async () => {
    const added = await ran([
      'server',
      'add',
      'crm',
      '--upstream',
      'https://crm.example',
      '--header',
      'X-Key: hunter2',
    ])
    expect(added).toEqual({ code: 0, out: '', err: 'server crm is added\n' })
    const shown = await ran(['server', 'show', 'crm'])
    expect(shown.out).toContain('X-Key: (hidden)')
    expect((await ran(['server', 'show', 'crm', '--json'])).out + shown.out).not.toContain(
      'hunter2',
    )
    expect((await ran(['server', 'rm', 'crm'])).err).toBe('server crm is removed\n')
    expect((await ran(['server', 'rm', 'crm'])).err).toBe(
      'sallyport: nothing of this name or id is here; no server `crm`\n',
    )
  })
  test('explains a refusal in one line', async () => {
    const refused = await ran(['server', 'add', 'x', '--', 'sh', '-c', 'true'])
    expect(refused.code).toBe(1)
    expect(refused.err).toBe(
      'sallyport: servers that run a command are not taken over the API; put it into the configuration file, or set `admin.commands: true` there\n',
    )
    expect((await ran(['server', 'rm', 'stripe'])).err).toMatch(
      /^sallyport: this is defined in the configuration file; .*\n$/,
    )
  })
  test('puts a policy from YAML, and prints every problem of a bad one with its place', async () => {
    expect((await ran(['policy', 'add', 'p', 'p.yaml'])).err).toBe(
      'policy p is in force, version 1\n',
    )
    expect((await ran(['policy', 'list'])).out).toContain('p     1        store')
    const bad = await ran(['policy', 'add', 'p', 'bad.json'])
    expect(bad.code).toBe(1)
    expect(bad.err).toMatch(/^bad\.json:2:11: .*`deny`\?\)\n/)
    expect((await ran(['policy', 'add', 'p', 'none.json'])).err).toBe(
      'sallyport: none.json:1:1: there is no such file\n',
    )
  })
  test('makes a stack, and a grant with policies by server', async () => {
    expect((await ran(['stack', 'add', 'work', '--server', 'stripe'])).err).toBe(
      'stack work is made of stripe\n',
    )
    expect((await ran(['stack', 'list'])).out).toContain('work  store  stripe')
    const words = ['grant', 'add', 'bob', '--stack', 'work', '--policy', 'p']
    const made = await ran([...words, '--policy', 'stripe=p'])
    expect(made.err).toBe(
      'grant bob opens stack work under policy p stripe=p, without end. The token is not shown again.\n',
    )
    const grant = watch.current().snapshot.grants.get(digestOf(made.out.trim()))
    expect(grant).toMatchObject({ server: undefined, stack: { name: 'work' } })
    expect(grant?.stack?.policies.get('stripe')?.name).toBe('p')
    expect((await ran(['grant', 'list'])).out).toContain('bob    work (stack)  p stripe=p')
    expect((await ran(['grant', 'rm', 'bob'])).code).toBe(0)
    expect((await ran(['stack', 'rm', 'work'])).err).toBe('stack work is removed\n')
  })
  test('prints the token of a grant on stdout, once, and revokes it at once', async () => {
    const made = await ran([
      'grant',
      'add',
      'bob',
      '--server',
      'stripe',
      '--policy',
      'p',
      '--tag',
      'team=x',
      '--expires',
      '30d',
    ])
    expect(made.code).toBe(0)
    expect(made.out).toMatch(/^sp_grant_[A-Za-z0-9_-]{43}\n$/)
    expect(made.err).toBe(
      'grant bob opens server stripe under policy p, until 2026-12-01T00:00:00.000Z. The token is not shown again.\n',
    )
    const digest = digestOf(made.out.trim())
    expect(watch.current().snapshot.grants.get(digest)?.tags).toEqual({ team: 'x' })
    expect((await ran(['grant', 'list'])).out).toContain(
      'bob    stripe  p       2026-12-01T00:00:00.000Z  store  team=x',
    )
    expect((await ran(['grant', 'revoke', 'bob'])).err).toBe('grant bob is revoked\n')
    expect(watch.current().snapshot.grants.has(digest)).toBe(false)
  })
})

describe('one line says', () => {
  test('that the token is wrong', async () => {
    const { code, err } = await ran(['grant', 'list'], { SALLYPORT_ADMIN_TOKEN: 'sp_admin_wrong' })
    expect([code, err]).toEqual([
      1,
      `sallyport: ${url} refuses this admin token; set SALLYPORT_ADMIN_TOKEN to the right one\n`,
    ])
  })
  test('that nothing answers there', async () => {
    const io = capturedIo({ env: { SALLYPORT_ADMIN_TOKEN: 'x' } })
    expect(await run(['grant', 'list', '--url', 'http://127.0.0.1:1'], io)).toBe(1)
    expect(io.err()).toMatch(
      /^sallyport: no gateway answers at http:\/\/127\.0\.0\.1:1.*; start it with `sallyport serve`, or name another with `--url`\n$/,
    )
  })
  test('that there is no token', async () => {
    const io = capturedIo()
    expect(await run(['grant', 'list', '--data-dir', join(dir, 'none')], io)).toBe(1)
    expect(io.err()).toContain('no admin token; set SALLYPORT_ADMIN_TOKEN')
  })
})
