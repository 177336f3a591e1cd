import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { capturedIo } from '../../../test/fakes/captured-io.ts'
import { until } from '../../../test/fakes/until.ts'
import type { HttpTransport } from '../../core/snapshot.ts'
import { ensureAdminToken, readAdminToken } from '../admin-token.ts'
import { digestOf } from '../config/secret.ts'
import { run } from '../run.ts'
import { checkClock } from './clock.ts'
import { checkDataDir } from './data-dir.ts'
import { checkHttp } from './http-server.ts'
import { checkPort } from './port.ts'
import { checkStdio } from './stdio-server.ts'

let dir: string
const servers: Server[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-doctor-'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  rmSync(dir, { recursive: true })
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
const result = { protocolVersion: '2025-11-25', serverInfo: { name: 'fake', version: '1' } }
const hello = JSON.stringify({ jsonrpc: '2.0', id: 1, result })

describe('a server over HTTP', () => {
  const check = async (
    listener: RequestListener,
    { scheme = 'http', transport = 'auto' }: { scheme?: string; transport?: HttpTransport } = {},
  ) => {
    const host = await serve(listener)
    const url = `${scheme}://${host}/mcp`
    const headers = { 'X-Key': 'hunter2' }
    return (await checkHttp({ name: 's', url, headers, transport }, '0')).finding
  }
  test('that answers JSON is well, and its headers were sent', async () => {
    let key: unknown
    const found = await check((request, response) => {
      key = request.headers['x-key']
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(hello)
    })
    expect(found).toMatchObject({
      state: 'ok',
      message: 'fake 1 answers (MCP 2025-11-25, Streamable HTTP)',
    })
    expect(key).toBe('hunter2')
  })
  test('that answers a stream is well, and its session is ended', async () => {
    const verbs: unknown[] = []
    const found = await check((request, response) => {
      verbs.push(request.method)
      if (request.method === 'DELETE') return response.end()
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Mcp-Session-Id': 'x' })
      return response.write(`: note\n\nid: 1\ndata:\n\nevent: message\r\ndata: ${hello}\r\n\r\n`)
    })
    expect(found.state).toBe('ok')
    expect(verbs).toEqual(['POST', 'DELETE'])
  })
  test('of the stateless era is well', async () => {
    const found = await check((request, response) => {
      const isNew = request.headers['mcp-method'] === 'server/discover'
      const body = isNew
        ? { result: { supportedVersions: ['2026-07-28'] } }
        : { error: { code: -32601, message: 'no' } }
      response.writeHead(isNew ? 200 : 400).end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }))
    })
    expect(found).toMatchObject({
      state: 'ok',
      message: 'unnamed answers (MCP 2026-07-28, Streamable HTTP)',
    })
  })
  test.each([
    [401, 'fail', 'refuses the credential (401)'],
    [307, 'fail', 'sends elsewhere (307)'],
    [404, 'fail', 'has nothing at this path (404)'],
    [405, 'fail', 'takes no POST here (405)'],
    [503, 'warn', 'answers with status 503'],
    [200, 'fail', 'answers with something that is not MCP (200)'],
  ])('that answers %i is a %s', async (status, state, message) => {
    const found = await check((_request, response) => response.writeHead(status).end('<html>'))
    expect(found).toMatchObject({ state, message: expect.stringContaining(message) })
    expect(JSON.stringify(found)).not.toContain('hunter2')
  })
  /** A server over HTTP+SSE that names this endpoint. */
  const sse =
    (endpoint: string, verb = 'GET'): RequestListener =>
    (request, response) => {
      if (request.url === '/send') {
        response.writeHead(202).end()
        stream?.write(`event: message\ndata: ${hello}\n\n`)
      } else if (request.method === 'GET' || request.method === verb) {
        stream = response.writeHead(200, { 'Content-Type': 'text/event-stream' })
        stream.write(`event: endpoint\ndata: ${endpoint}\n\n`)
      } else response.writeHead(405).end()
    }
  let stream: ServerResponse | undefined
  test.each(['auto', 'sse'] as const)('over the older transport is well, by `%s`', async (by) => {
    expect(await check(sse('/send'), { transport: by })).toMatchObject({
      state: 'ok',
      message: 'fake 1 answers (MCP 2025-11-25, HTTP+SSE)',
    })
    await until(() => stream?.destroyed === true, 'the stream to be closed')
  })
  test('over the older transport is well also when it streams to any verb', async () => {
    const found = await check(sse('/send', 'POST'))
    expect(found.message).toBe('fake 1 answers (MCP 2025-11-25, HTTP+SSE)')
  })
  test('that wants messages sent elsewhere is none to be used', async () => {
    const found = await check(sse('http://evil.example/send'))
    expect(found).toMatchObject({
      state: 'fail',
      message: expect.stringContaining('its endpoint is on another origin'),
    })
  })
  test('is not asked for the older transport when another is configured', async () => {
    expect((await check(sse('/send'), { transport: 'http' })).message).toContain('(405)')
    const streamable: RequestListener = (_request, response) => response.writeHead(405).end()
    expect((await check(streamable, { transport: 'sse' })).message).toContain('names no endpoint')
  })
  test('without TLS where TLS is asked for says so', async () => {
    const found = await check((_request, response) => response.end(), { scheme: 'https' })
    expect(found.message).toMatch(/^TLS with 127\.0\.0\.1:\d+ fails/)
  })
  test('that is not there refuses connections', async () => {
    const host = await serve(() => undefined)
    await new Promise((resolve) => servers.pop()?.close(resolve))
    const { finding } = await checkHttp(
      { name: 's', url: `http://${host}/`, headers: {}, transport: 'auto' },
      '0',
    )
    expect(finding.message).toBe(`${host} refuses connections`)
  })
})

describe('a server with a command', () => {
  const check = (script: string, more: object = {}) =>
    checkStdio(
      's',
      {
        kind: 'stdio',
        command: process.execPath,
        args: ['-e', script],
        env: {},
        cwd: undefined,
        instances: 'session',
        ...more,
      },
      '0',
    )
  test('that answers is well, and is ended', async () => {
    const pidFile = join(dir, 'pid')
    const script = `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); process.stdin.on('data', () => console.log(${JSON.stringify(hello)}))`
    expect(await check(script)).toMatchObject({
      state: 'ok',
      message: 'fake 1 answers (MCP 2025-11-25)',
    })
    const { readFileSync } = await import('node:fs')
    expect(() => process.kill(Number(readFileSync(pidFile, 'utf8')), 0)).toThrow()
  })
  test.each([
    ['process.exit(3)', 'it ends at once (exit code 3)'],
    [
      'console.log("starting"); setInterval(() => 0, 1000)',
      'it writes something to stdout that is not MCP',
    ],
    [
      `console.log('{"jsonrpc":"2.0","id":1,"error":{}}'); process.stdin.resume()`,
      'it refuses `initialize`',
    ],
  ])('%s: %s', async (script, message) => {
    expect(await check(script)).toMatchObject({ state: 'fail', message })
  })
  test('that is not on PATH, or whose folder is not there, says so', async () => {
    expect((await check('', { command: 'no-such-command' })).message).toBe(
      'the command `no-such-command` is not on PATH',
    )
    expect((await check('', { cwd: join(dir, 'none') })).message).toBe(
      'its folder (`cwd`) is not there',
    )
  })
})

describe('the data dir', () => {
  const states = () => checkDataDir(dir).map((f) => `${f.check}: ${f.state}`)
  test('that is sound is well', () => {
    chmodSync(dir, 0o700)
    writeFileSync(join(dir, 'key'), new Uint8Array(32), { mode: 0o600 })
    ensureAdminToken(dir)
    expect(states()).toEqual(['data dir: ok', 'key file: ok', 'admin token: ok'])
  })
  test('with secrets that others can read is warned of', () => {
    chmodSync(dir, 0o777)
    writeFileSync(join(dir, 'key'), new Uint8Array(32))
    chmodSync(join(dir, 'key'), 0o644)
    ensureAdminToken(dir)
    chmodSync(join(dir, 'admin-token'), 0o644)
    expect(states()).toEqual(['data dir: warn', 'key file: warn', 'admin token: warn'])
  })
  test('with a bad key file fails', () => {
    writeFileSync(join(dir, 'key'), 'short', { mode: 0o600 })
    expect(checkDataDir(dir)[1]).toMatchObject({
      state: 'fail',
      message: expect.stringContaining('5 bytes, not 32'),
    })
  })
  test('that is a file fails', () => {
    writeFileSync(join(dir, 'f'), '')
    expect(checkDataDir(join(dir, 'f'))[0]?.state).toBe('fail')
  })
})

describe('the admin token', () => {
  test('is made once, for its owner only', () => {
    const data = join(dir, 'new')
    const first = ensureAdminToken(data)
    expect(first.madeFile).toBe(join(data, 'admin-token'))
    expect(statSync(join(data, 'admin-token')).mode & 0o777).toBe(0o600)
    expect(readAdminToken(data)).toMatch(/^sp_admin_[A-Za-z0-9_-]{43}$/)
    expect(first.digest).toBe(digestOf(readAdminToken(data) ?? ''))
    expect(ensureAdminToken(data)).toEqual({ digest: first.digest, madeFile: undefined })
  })
  test('that is spoilt is an error with its mend', () => {
    writeFileSync(join(dir, 'admin-token'), '')
    expect(() => ensureAdminToken(dir)).toThrow('holds no admin token; remove it')
  })
})

describe('the port', () => {
  test('is free, a gateway, or taken', async () => {
    const free = await serve(() => undefined)
    await new Promise((resolve) => servers.pop()?.close(resolve))
    const portOf = (host: string): number => Number(host.split(':')[1])
    expect(await checkPort('127.0.0.1', portOf(free))).toMatchObject({
      state: 'ok',
      message: `${free} is free`,
    })
    const ours = await serve((_request, response) => response.end('alive\n'))
    expect((await checkPort('127.0.0.1', portOf(ours))).message).toBe(
      `a gateway is running at ${ours}`,
    )
    const other = await serve((_request, response) => response.end('hello'))
    expect(await checkPort('127.0.0.1', portOf(other))).toMatchObject({
      state: 'fail',
      mend: expect.stringContaining('--port'),
    })
  })
})

test('the clock is held against what servers say', () => {
  const now = Date.UTC(2027, 0, 1)
  expect(checkClock(now, [now - 1000, now + 9e6]).state).toBe('ok')
  expect(checkClock(now, [now + 600_000]).message).toBe('it is 10 minutes behind the servers')
  expect(checkClock(0, []).state).toBe('fail')
})

test('doctor tells all of it and exits 1 when something fails', async () => {
  mkdirSync(join(dir, 'data'), { mode: 0o700 })
  const file = join(dir, 'sallyport.yaml')
  writeFileSync(join(dir, 'p.json'), '{"version":"9"}')
  writeFileSync(
    file,
    'version: 1\nlisten: { port: 0 }\nservers: { a: { command: no-such-command } }\npolicies: { p: ./p.json }\ngrants: { g: { server: a, token: hunter2-hunter2-hunter2 } }\n',
  )
  chmodSync(file, 0o644)
  const io = capturedIo({ now: () => Date.UTC(2027, 0, 1) })
  expect(
    await run(['doctor', '--json', '--config', file, '--data-dir', join(dir, 'data')], io),
  ).toBe(1)
  const { ok, checks } = JSON.parse(io.out())
  expect(ok).toBe(false)
  const said = checks.map((c: { check: string; state: string }) => `${c.state} ${c.check}`)
  expect(said).toEqual(
    expect.arrayContaining([
      'ok configuration',
      'warn configuration',
      'fail policy p',
      'ok data dir',
      'ok port',
      'fail server a',
      'ok clock',
    ]),
  )
  expect(io.out()).not.toContain('hunter2')
})
