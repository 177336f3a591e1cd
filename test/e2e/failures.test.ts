import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BareClient, isForwarded, lastOf } from '../fakes/mcp-http.ts'
import { StdioTalk } from '../fakes/mcp-stdio.ts'
import { freePort, openRecordingUpstream } from '../fakes/recording-upstream.ts'
import { type Done, done, type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const TOKEN = 'failures-token-0123456789'
const ALLOW = { version: '1', default: 'allow' }

/** A reference to a variable, as a configuration writes it. */
const reference = (name: string): string => `\${${name}}`

let space: Space
beforeEach(() => {
  space = new Space()
})
afterEach(() => space.close())

const grantFor = (server: string, more: object = {}) => ({
  servers: { [server]: { url: 'http://127.0.0.1:9/mcp' } },
  policies: { p: './policy.json' },
  grants: { test: { server, policy: 'p', token: TOKEN, ...more } },
})

/** Runs `serve` where it must not start. */
const refused = async (config: unknown, env: Record<string, string> = {}): Promise<Done> => {
  if (typeof config === 'object') space.file('policy.json', ALLOW)
  const text = typeof config === 'object' ? { version: 1, ...config } : config
  const file = space.file('sallyport.yaml', text)
  return done(space.start(['serve', '--config', file, '--port', '0'], { env }))
}

/** One line that names the place and the mend, and one that sums up. */
const expectProblem = (ended: Done, place: string, says: RegExp): void => {
  expect(ended).toMatchObject({ code: 1, signal: null, out: '' })
  expect(ended.errLines).toHaveLength(2)
  expect(ended.errLines[0]).toContain(place)
  expect(ended.errLines[0]).toMatch(says)
  expect(ended.errLines[1]).toMatch(/not started: one problem .*mend/)
}

/** Exactly one line, from the program, that names the mend. */
const expectLine = (ended: Done, says: RegExp, code = 1): void => {
  expect(ended).toMatchObject({ code, signal: null, out: '' })
  expect(ended.errLines).toHaveLength(1)
  expect(ended.errLines[0]).toMatch(/^sallyport: /)
  expect(ended.errLines[0]).toMatch(says)
}

describe('a configuration that can not be used stops the start', () => {
  test('where its YAML is broken', async () => {
    expectProblem(await refused('version: 1\nservers: { a: [1, 2\n'), 'sallyport.yaml:3:1', /./)
  })

  test('where it has an unknown key, and names the nearest', async () => {
    expectProblem(await refused('version: 1\nsevers: {}\n'), 'sallyport.yaml:2:1', /`servers`/)
  })

  test('where a variable is not set, and names it', async () => {
    const config = grantFor('stub', { token: reference('E2E_NOT_SET') })
    expectProblem(await refused(config), 'sallyport.yaml:1:', /E2E_NOT_SET/)
  })

  test('where a policy is malformed, at the place in the policy', async () => {
    space.file('policy.json', '{\n  "version": "1",\n  "default": "dney"\n}\n')
    const file = space.file('sallyport.yaml', { version: 1, ...grantFor('stub') })
    const ended = await done(space.start(['serve', '--config', file, '--port', '0']))
    expectProblem(ended, 'policy.json:3:', /`deny`/)
  })

  test('where a policy is not there', async () => {
    const file = space.file('sallyport.yaml', { version: 1, ...grantFor('stub') })
    const ended = await done(space.start(['serve', '--config', file, '--port', '0']))
    expectProblem(ended, 'policy.json', /not there|no such|does not exist|can not be read/)
  })

  test('also under wrap, before the server is started', async () => {
    space.file('policy.json', '{\n  "version": "1",\n  "default": "dney"\n}\n')
    const command = [process.execPath, '-e', "require('node:fs').writeFileSync('started', '')"]
    const ended = await space.run(['wrap', '--policy', 'policy.json', '--', ...command])
    expectProblem(ended, 'policy.json:3:', /`deny`/)
    expect(existsSync(join(space.path, 'started'))).toBe(false)
  })

  test('where the file is not there', async () => {
    const ended = await done(space.start(['serve', '--config', 'none.yaml', '--port', '0']))
    expectProblem(ended, 'none.yaml', /not there|no such|does not exist|can not be read/)
  })

  test('where a token is too short, without showing it', async () => {
    const ended = await refused(grantFor('stub', { token: 'tooshort' }))
    expectProblem(ended, 'sallyport.yaml:1:', /16/)
    expect(ended.err).not.toContain('tooshort')
  })
})

describe('a data dir that can not be used stops the start', () => {
  const start = (dir: string): Promise<Done> =>
    done(space.start(['serve', '--port', '0', '--data-dir', dir]))

  test('where it is a file', async () => {
    expectLine(await start(space.file('a-file', 'x')), /a-file.*choose another data directory/)
  })

  test('where the database is no database', async () => {
    space.file('data/sallyport.db', 'this is no database, but it is long enough to look at\n')
    expectLine(await start(space.dataDir), /sallyport\.db` is no SQLite database; move it away/)
  })

  test('where the database is corrupt', async () => {
    const first = space.start(['serve', '--port', '0', '--data-dir', space.dataDir])
    await first.line('listening')
    first.kill('SIGTERM')
    await first.ended()
    const file = join(space.dataDir, 'sallyport.db')
    // The header stays, so that it is still a database.
    writeFileSync(file, readFileSync(file).fill(0xa5, 100))
    expectLine(await start(space.dataDir), /sallyport\.db` is corrupt; restore it from a backup/)
  })

  test('where the key file is damaged', async () => {
    space.file('data/key', 'short')
    expectLine(await start(space.dataDir), /key` holds 5 bytes, not 32; restore it/)
  })

  test('where the admin token file is damaged', async () => {
    space.file('data/admin-token', '\n')
    expectLine(await start(space.dataDir), /admin-token holds no admin token; remove it/)
  })

  test('where it belongs to another program', async () => {
    mkdirSync(space.dataDir)
    const db = new DatabaseSync(join(space.dataDir, 'sallyport.db'))
    db.exec('CREATE TABLE theirs (x)')
    db.close()
    expectLine(await start(space.dataDir), /belongs to another program; choose another/)
  })
})

/** Mounts an in-memory file system of its own; undefined where this user may not. */
function mountTmpfs(options: string): string | undefined {
  const dir = join(space.path, 'mount')
  mkdirSync(dir, { recursive: true })
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]).status !== 0)
    return undefined
  space.later(() => spawnSync('umount', ['-l', dir]))
  return dir
}

describe('a disk that does not take what is written', () => {
  test('a read-only data dir stops the start', async (context) => {
    const dir = mountTmpfs('size=1m,ro')
    if (dir === undefined) return context.skip('only root may mount a file system')
    const ended = await done(space.start(['serve', '--port', '0', '--data-dir', dir]))
    expectLine(ended, /read-only file system; choose another data directory/)
  })

  test('a full disk stops the start', async (context) => {
    const dir = mountTmpfs('size=64k')
    if (dir === undefined) return context.skip('only root may mount a file system')
    spawnSync('dd', ['if=/dev/zero', `of=${join(dir, 'filler')}`, 'bs=4k', 'count=16'])
    const ended = await done(space.start(['serve', '--port', '0', '--data-dir', dir]))
    expectLine(ended, /disk is full; free some space|can not grow/)
  })

  test('a disk that fills up refuses calls with limits, says so, and recovers', async (context) => {
    const dir = mountTmpfs('size=2m')
    if (dir === undefined) return context.skip('only root may mount a file system')
    const upstream = await openRecordingUpstream()
    space.later(() => upstream.close())
    space.file('policy.json', {
      ...ALLOW,
      tools: { take: { limits: [{ counter: 'c', window: 'month', max: 50 }] } },
    })
    const served = await space.serve(
      {
        servers: { stub: { url: upstream.url } },
        policies: { p: './policy.json' },
        grants: { test: { server: 'stub', policy: 'p', token: TOKEN } },
      },
      { args: ['--data-dir', dir] },
    )
    const client = new BareClient(served.mcp('stub'), TOKEN)
    expect(isForwarded(await client.call('take'))).toBe(true)
    const filler = join(dir, 'filler')
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k'])
    const before = upstream.calls('take').length
    let tries = 0
    let answer = await client.call('take')
    // The write-ahead log may have room for a few more pages that it had already taken.
    while (isForwarded(answer) && tries++ < 60) answer = await client.call('take')
    expect(answer.message.result?.isError).toBe(true)
    const failure = await served.program.event('store.failed')
    expect(failure.reason).toMatch(/disk is full/)
    expect(upstream.calls('take').length).toBeLessThanOrEqual(50)
    expect(upstream.calls('take').length - before).toBeLessThan(50)
    rmSync(filler)
    let recovered = false
    await until(() => {
      if (!recovered) void client.call('take').then((a) => (recovered ||= isForwarded(a)))
      return recovered
    }, 'calls to be taken again')
    expect(served.program.isOver).toBe(false)
  })
})

test('a port that is taken stops the start', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  space.later(() => server.close())
  const { port } = server.address() as { port: number }
  const ended = await done(space.start(['serve', '--port', String(port)]))
  expect(ended).toMatchObject({ code: 1, out: '' })
  const said = ended.errLines.filter((line) => !line.startsWith('{'))
  expect(said).toHaveLength(1)
  expect(said[0]).toMatch(new RegExp(`port ${port} is taken; .*--port`))
})

describe('what may not pass over HTTP is refused with the status that says so', () => {
  let served: Served
  let client: BareClient
  beforeEach(async () => {
    const upstream = await openRecordingUpstream()
    space.later(() => upstream.close())
    space.file('policy.json', ALLOW)
    served = await space.serve({
      servers: { stub: { url: upstream.url }, other: { url: upstream.url } },
      policies: { p: './policy.json' },
      grants: {
        test: { server: 'stub', policy: 'p', token: TOKEN },
        past: { server: 'stub', policy: 'p', token: `${TOKEN}-past`, expires: '2020-01-01' },
        early: { server: 'stub', policy: 'p', token: `${TOKEN}-early`, notBefore: '2999-01-01' },
      },
    })
    client = new BareClient(served.mcp('stub'), TOKEN)
  })
  const of = (token: string | undefined, server = 'stub') =>
    new BareClient(served.mcp(server), token).call('take')

  test('tokens', async () => {
    const table = [
      [await of(undefined), 401, 'grant_missing', 'Bearer realm="sallyport"'],
      [await of('nobody-has-this-token'), 401, 'grant_unknown', 'error="invalid_token"'],
      [await of(`${TOKEN}-past`), 401, 'grant_expired', 'error="invalid_token"'],
      [await of(`${TOKEN}-early`), 401, 'grant_expired', 'error="invalid_token"'],
      [await of(TOKEN, 'other'), 403, 'grant_elsewhere', 'error="insufficient_scope"'],
    ] as const
    for (const [answer, status, code, challenge] of table) {
      expect(answer.status).toBe(status)
      expect(answer.message.error?.data?.code).toBe(code)
      expect(answer.headers.get('www-authenticate')).toContain(challenge)
    }
    expect(isForwarded(await of(TOKEN))).toBe(true)
    expect(served.program.err).not.toContain(TOKEN)
  })

  test.each([
    ['no JSON', '{"jsonrpc":', 400, 'frame_not_json'],
    ['no frame', '{"hello":1}', 400, 'frame_invalid'],
    [
      'a key that stands twice',
      '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
      400,
      'frame_invalid',
    ],
    ['trailing data', '{"jsonrpc":"2.0","id":1,"method":"ping"} {}', 400, 'frame_not_json'],
  ])('a body that is %s', async (_, body, status, code) => {
    const response = await fetch(client.url, {
      method: 'POST',
      headers: client.headers('ping'),
      body,
    })
    expect(response.status).toBe(status)
    expect(lastOf(await response.text()).error?.data?.code).toBe(code)
  })
})

describe('a server that is not there', () => {
  test('over HTTP: 502, and the next call once it is back goes through', async () => {
    const port = await freePort()
    space.file('policy.json', { version: '1', default: 'deny', tools: { take: {} } })
    const served = await space.serve({
      ...grantFor('stub'),
      servers: { stub: { url: `http://127.0.0.1:${port}/mcp` } },
    })
    const client = new BareClient(served.mcp('stub'), TOKEN)
    const answer = await client.call('take')
    expect(answer.status).toBe(502)
    expect(answer.message.error?.data?.code).toBe('upstream_unreachable')
    const upstream = await openRecordingUpstream(undefined, port)
    space.later(() => upstream.close())
    expect(isForwarded(await client.call('take'))).toBe(true)
  })

  test.each([
    ['its command does not exist', { command: '/nowhere/no-such-server' }],
    ['it exits at once', { command: process.execPath, args: ['-e', 'process.exit(3)'] }],
  ])('behind serve, where %s: an error, one log line that says why', async (_, server) => {
    space.file('policy.json', ALLOW)
    const served = await space.serve({ ...grantFor('stub'), servers: { stub: server } })
    const response = await fetch(served.mcp('stub'), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${TOKEN}`,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: {},
          clientInfo: { name: 't', version: '1' },
        },
      }),
    })
    expect(response.status).toBe(502)
    const { error } = lastOf(await response.text())
    expect(error?.data?.code).toMatch(/^upstream_(unreachable|lost)$/)
    await until(
      () => served.program.events.some((e) => /^upstream\.(failed|lost)$/.test(String(e.event))),
      'a line about the server',
    )
    const why = served.program.events.filter((e) =>
      /^upstream\.(failed|lost)$/.test(String(e.event)),
    )
    expect(why).toHaveLength(1)
    expect(why[0]?.reason).toMatch(/no-such-server|ENOENT|not found|3/)
    expect(served.program.isOver).toBe(false)
  })

  test('behind wrap, where its command does not exist: an answer, one line, exit code 1', async () => {
    const policy = space.file('policy.json', ALLOW)
    const talk = new StdioTalk(
      space.start(['wrap', '--policy', policy, '--', '/nowhere/no-such-server']),
    )
    const answer = await talk.request('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    })
    expect(answer.error?.data?.code).toMatch(/^upstream_/)
    talk.program.endInput()
    const ended = await done(talk.program)
    expect(ended.code).toBe(1)
    expect(ended.err).toMatch(/no-such-server/)
    expect(ended.err).not.toMatch(/\n\s+at /)
  })
})
