import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fencedBlocks } from '../fakes/fenced-blocks.ts'
import { until } from '../fakes/until.ts'

interface Running {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  readonly ended: Promise<number | null>
}

function start(...flags: readonly string[]): Running {
  const child = spawn(process.execPath, ['scripts/quickstart.ts', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const ended = new Promise<number | null>((done) => child.once('close', done))
  return { child, out: () => out, err: () => err, ended }
}

const sh = (command: string): unknown =>
  JSON.parse(execFileSync('sh', ['-c', command], { encoding: 'utf8' }))

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The address and token of each server, from the lines for Claude Code. */
const addressesIn = (text: string) =>
  [
    ...text.matchAll(/claude mcp add --transport http (\S+) (\S+) --header "(\S+): (Bearer \S+)"/g),
  ].map(([, name = '', url = '', , token = '']) => ({ name, url, token }))

/** What the readme tells a client to start, with this clone and that gateway in their places. */
function readmeCommand(word: string, places: Readonly<Record<string, string>>) {
  const block = fencedBlocks('README.md').find(
    ({ language, text }) => language === 'json' && text.includes(`"${word}"`),
  )
  const filled = Object.entries(places).reduce(
    (text, [place, value]) => text.replaceAll(place, value),
    block?.text ?? '{}',
  )
  const [entry] = Object.values(JSON.parse(filled).mcpServers)
  return entry as { command: string; args: string[]; env?: Record<string, string> }
}

/** The tools that a command of a client's configuration offers, and what it makes of a forbidden write. */
async function asClient(command: {
  command: string
  args: string[]
  env?: Record<string, string>
}) {
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StdioClientTransport({ ...command, stderr: 'ignore' }))
  try {
    const { tools } = await client.listTools()
    const denied = await client.callTool({
      name: 'write_file',
      arguments: { path: 'notes.md', content: '' },
    })
    return { names: tools.map(({ name }) => name), denied: textOf(denied) }
  } finally {
    await client.close()
  }
}

const textOf = (result: unknown): string =>
  (result as { content: { text?: string }[] }).content[0]?.text ?? ''

describe('npm start', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'quickstart-'))
  let running: Running
  beforeAll(async () => {
    running = start('--port', '0', '--data-dir', dataDir)
    await until(() => running.err().includes('Ctrl-C'), 'the welcome')
  })
  afterAll(async () => {
    running.child.kill('SIGKILL')
    await running.ended
    rmSync(dataDir, { recursive: true, force: true })
  })

  /** Calls one tool of one server as a client does. */
  async function call(server: string, name: string, args: Record<string, unknown>) {
    const entry = addressesIn(running.err()).find((e) => e.name === `sallyport-${server}`)
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(
      new StreamableHTTPClientTransport(new URL(entry?.url ?? ''), {
        requestInit: { headers: { Authorization: entry?.token ?? '' } },
      }),
    )
    try {
      return await client.callTool({ name, arguments: args })
    } finally {
      await client.close()
    }
  }

  test('prints one line on stdout, and three addresses with tokens of their own', () => {
    expect(running.out()).toMatch(/^sallyport listening on http:\/\/127\.0\.0\.1:\d+\n$/)
    const entries = addressesIn(running.err())
    expect(entries.map((e) => e.name)).toEqual([
      'sallyport-files',
      'sallyport-memory',
      'sallyport-everything',
    ])
    expect(new Set(entries.map((e) => e.token)).size).toBe(3)
    for (const { token } of entries) expect(token).toMatch(/^Bearer sp_grant_[\w-]{43}$/)
  })

  test('keeps its tokens where only the owner reads them', () => {
    for (const file of ['quickstart-tokens.json', 'admin-token'])
      expect(statSync(join(dataDir, file)).mode & 0o077, file).toBe(0)
  })

  test('prints a curl that is denied', () => {
    const [, printed = ''] = /another terminal\n([\s\S]*?)\n\n/.exec(running.err()) ?? []
    expect(sh(printed)).toMatchObject({ result: { isError: true } })
  })

  test('answers the curl of the readme as the readme says', () => {
    const blocks = fencedBlocks('README.md')
    const curl = blocks.find(({ text }) => text.startsWith('curl'))?.text ?? ''
    const answer = blocks.find(
      ({ text }) => text.includes('"jsonrpc"') && text.startsWith('{'),
    )?.text
    const [files] = addressesIn(running.err())
    const command = curl
      .replace('http://127.0.0.1:7400/mcp/files', files?.url ?? '')
      .replace('Bearer $TOKEN', files?.token ?? '')
    expect(sh(command)).toEqual(JSON.parse(answer ?? ''))
  })

  test('prints a block of mcpServers that a client can use', async () => {
    const [, block = '{}'] = /the others alike\)\n([\s\S]*?)\n\n/.exec(running.err()) ?? []
    const { mcpServers } = JSON.parse(block)
    const { url, headers } = mcpServers['sallyport-files']
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
    )
    const { tools } = await client.listTools()
    const names = tools.map(({ name }) => name)
    expect(names).toContain('read_text_file')
    expect(names).not.toContain('move_file')
    await client.close()
  })

  test('serves the files, the memory and the reference server, each held to its policy', async () => {
    expect(textOf(await call('files', 'read_text_file', { path: 'notes/trip.md' }))).toContain(
      'Lisbon',
    )
    expect(textOf(await call('files', 'write_file', { path: 'notes/trip.md', content: '' }))).toBe(
      '[POLICY DENIED] this agent writes only .md and .txt files in drafts/',
    )
    expect((await call('memory', 'read_graph', {})).isError).not.toBe(true)
    expect(textOf(await call('memory', 'delete_entities', { entityNames: ['x'] }))).toContain(
      'deleted by people',
    )
    expect(textOf(await call('everything', 'get-sum', { a: 2, b: 3 }))).toContain('5')
    expect(textOf(await call('everything', 'get-sum', { a: 2, b: 3000 }))).toContain(
      '[POLICY DENIED]',
    )
    await expect(call('everything', 'get-env', {})).rejects.toThrow('Unknown tool')
  })

  test('is reached by mcp-remote as the readme starts it', async () => {
    const [files] = addressesIn(running.err())
    const command = readmeCommand('mcp-remote', {
      'http://127.0.0.1:7400/mcp/files': files?.url ?? '',
      'Bearer TOKEN': files?.token ?? '',
    })
    const env = { ...command.env, PATH: process.env.PATH ?? '', HOME: dataDir }
    const { names, denied } = await asClient({ ...command, env })
    expect(names).not.toContain('move_file')
    expect(denied).toContain('[POLICY DENIED]')
  })

  test('ends with everything it started when Ctrl-C arrives twice', async () => {
    const pids = [...running.err().matchAll(/"event":"upstream.started".*?"pid":(\d+)/g)].map((m) =>
      Number(m[1]),
    )
    expect(pids.length).toBeGreaterThan(0)
    running.child.kill('SIGINT')
    running.child.kill('SIGINT')
    expect(await running.ended).toBe(0)
    await until(() => !pids.some(isAlive), 'the end of the servers')
  })
})

test('the wrap of the readme is a gate', async () => {
  const home = mkdtempSync(join(tmpdir(), 'wrapped-'))
  const command = readmeCommand('wrap', {
    '/path/to/sallyport': process.cwd(),
    '/path/to/notes': join(process.cwd(), 'examples/quickstart/files'),
  })
  const env = { PATH: process.env.PATH ?? '', HOME: home }
  const { names, denied } = await asClient({ ...command, env })
  expect(names).toContain('read_text_file')
  expect(names).not.toContain('move_file')
  expect(denied).toBe('[POLICY DENIED] this agent writes only .md and .txt files in drafts/')
  rmSync(home, { recursive: true, force: true })
})

describe('npm start says in one line what is wrong', () => {
  test('when the port is taken', async () => {
    const other = createServer()
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done))
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const running = start('--port', String(port))
    expect(await running.ended).toBe(1)
    expect(running.err()).toBe(
      `port ${port} is taken; end what listens there, or choose another: npm start -- --port ${port + 1}\n`,
    )
    other.close()
  })

  test('when the port is none, or a flag is unknown', async () => {
    for (const flags of [
      ['--port', 'http'],
      ['--prot', '7400'],
    ]) {
      const running = start(...flags)
      expect(await running.ended).toBe(2)
      expect(running.err().trim().split('\n')).toHaveLength(1)
      expect(running.err()).toContain('usage: npm start -- [--port N]')
    }
  })

  test('when the data dir can not be made', async () => {
    const running = start('--port', '0', '--data-dir', 'package.json/data')
    expect(await running.ended).toBe(1)
    expect(running.err().trim().split('\n')).toHaveLength(1)
    expect(running.err()).toContain('can not be written (ENOTDIR)')
  })
})
