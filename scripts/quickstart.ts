/** `npm start`: three real MCP servers behind the gate, with tokens made at the first start. */
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, dirname, join, relative, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { adminTokenFile } from '../src/cli/admin-token.ts'
import { painter } from '../src/cli/paint.ts'
import { run } from '../src/cli/run.ts'
import { silenceSqliteWarning } from '../src/cli/silence.ts'
import { hasColour } from '../src/cli/stream.ts'

const USAGE = 'usage: npm start -- [--port N] [--data-dir DIR]'
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, 'examples', 'quickstart')
const servers = ['files', 'memory', 'everything'] as const
type ServerName = (typeof servers)[number]
type Tokens = Readonly<Record<ServerName, string>>

const complain = (line: string): number => {
  process.stderr.write(`${line}\n`)
  return 1
}

function readOptions(): { readonly port: number; readonly dataDir: string } | string {
  try {
    const { values } = parseArgs({
      options: { port: { type: 'string' }, 'data-dir': { type: 'string' } },
    })
    const text = values.port ?? process.env.PORT ?? '7400'
    const port = Number(text)
    if (!/^\d{1,5}$/.test(text) || port > 65_535)
      return `the port must be a number from 0 to 65535, not \`${text}\`; ${USAGE}`
    return { port, dataDir: resolve(values['data-dir'] ?? join(folder, 'data')) }
  } catch (error) {
    return `${error instanceof Error ? error.message.split('\n')[0] : 'wrong usage'}; ${USAGE}`
  }
}

async function start(port: number, dataDir: string): Promise<number> {
  if (await isTaken(port))
    return complain(
      `port ${port} is taken; end what listens there, or choose another: npm start -- --port ${port + 1}`,
    )
  const tokens = ready(dataDir)
  if (typeof tokens === 'string') return complain(tokens)
  silenceSqliteWarning(process)
  holdSignals()
  return await run(
    [
      'serve',
      ...['--config', join(folder, 'sallyport.yaml')],
      ...['--port', String(port)],
      ...['--data-dir', dataDir],
    ],
    {
      stdin: process.stdin,
      stdout: announcing((url) => process.stderr.write(welcome(url, tokens, dataDir))),
      stderr: process.stderr,
      env: environment(tokens, dataDir),
      cwd: root,
      now: Date.now,
    },
  )
}

/** True when someone else listens on the port. */
function isTaken(port: number): Promise<boolean> {
  const probe = createServer()
  return new Promise((done) => {
    probe.once('error', (error: NodeJS.ErrnoException) => done(error.code === 'EADDRINUSE'))
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(false)))
  })
}

/** The sandbox and the tokens, both made at the first start; or what stands in the way. */
function ready(dataDir: string): Tokens | string {
  const file = join(dataDir, 'quickstart-tokens.json')
  try {
    const sandbox = join(folder, 'sandbox')
    if (!existsSync(sandbox)) cpSync(join(folder, 'files'), sandbox, { recursive: true })
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    if (!existsSync(file))
      writeFileSync(file, `${JSON.stringify(newTokens(), null, 2)}\n`, { mode: 0o600 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return `${file} can not be written (${code}); make its folder writable, or choose another: npm start -- --data-dir DIR`
  }
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Tokens
    if (servers.every((name) => typeof kept[name] === 'string')) return kept
  } catch {
    // Told below: whatever is wrong with the file, the mend is the same.
  }
  return `${file} does not hold the tokens of the quickstart; remove it, and the next start makes new ones`
}

const newTokens = (): Tokens => {
  const token = () => `sp_grant_${randomBytes(32).toString('base64url')}`
  return { files: token(), memory: token(), everything: token() }
}

/** The variables that examples/quickstart/sallyport.yaml reads, and a PATH with the clone's own Node. */
function environment(tokens: Tokens, dataDir: string): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), join(root, 'node_modules', '.bin'), process.env.PATH]
  // Servers get the PATH of this process, so that they start with our Node and not the machine's.
  process.env.PATH = path.filter((part) => part !== undefined).join(delimiter)
  return {
    ...process.env,
    QUICKSTART_DATA: dataDir,
    QUICKSTART_FILES_TOKEN: tokens.files,
    QUICKSTART_MEMORY_TOKEN: tokens.memory,
    QUICKSTART_EVERYTHING_TOKEN: tokens.everything,
  }
}

/** Passes stdout on, and tells the address once the gateway has printed it. */
function announcing(onListening: (url: string) => void): NodeJS.WriteStream {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      process.stdout.write(chunk)
      const url = /^sallyport listening on (\S+)/.exec(chunk.toString())?.[1]
      if (url !== undefined) onListening(url)
      done()
    },
  })
  return stream as unknown as NodeJS.WriteStream
}

/** Ctrl-C arrives twice, from the terminal and from npm: the second must not cut the shutdown short. */
function holdSignals(): void {
  let firstAt: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      firstAt ??= Date.now()
      if (Date.now() - firstAt > 1_000) process.exit(130)
    })
}

function welcome(url: string, tokens: Tokens, dataDir: string): string {
  const paint = painter(hasColour(process.stderr, process.env))
  const here = (path: string) => relative(process.cwd(), path) || path
  const about = {
    files: 'reads; writes to drafts/ only, five a minute',
    memory: 'remembers; deletes nothing',
    everything: 'echo, get-sum and some more; get-env is hidden',
  }
  const title = (text: string) => `\n${paint.bold(text)}\n`
  const address = (name: ServerName) => `${url}/mcp/${name}`
  const bearer = (name: ServerName) => `Authorization: Bearer ${tokens[name]}`
  return [
    title('Sallyport stands in front of three MCP servers. Each has its address and its token:'),
    ...servers.map((name) => {
      const line = address(name).padEnd(url.length + '/mcp/everything'.length + 2)
      return `  ${paint.cyan(line)}${paint.dim(about[name])}\n    ${tokens[name]}\n`
    }),
    title('Claude Code'),
    ...servers.map(
      (name) =>
        `  claude mcp add --transport http sallyport-${name} ${address(name)} --header "${bearer(name)}"\n`,
    ),
    title('Clients that read mcpServers (here one server, the others alike)'),
    indented(
      JSON.stringify(
        {
          mcpServers: {
            'sallyport-files': {
              type: 'http',
              url: address('files'),
              headers: { Authorization: `Bearer ${tokens.files}` },
            },
          },
        },
        null,
        2,
      ),
    ),
    title('See a call denied: paste this in another terminal'),
    indented(deniedCall(address('files'), bearer('files'))),
    title('And then'),
    `  decisions     npx sallyport log --follow --data-dir ${here(dataDir)}\n`,
    '  policies      examples/quickstart/policies/ (an edit is in force within a second)\n',
    `  admin API     ${url}/api/v1/openapi.json, with the token in ${here(adminTokenFile(dataDir))}\n`,
    '  end           Ctrl-C\n\n',
  ].join('')
}

const indented = (text: string): string => `${text.replace(/^/gm, '  ')}\n`

/** One stateless call, so that a single curl can make it; the files policy denies it. */
const deniedCall = (address: string, bearer: string): string => {
  const frame = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'create_directory',
      arguments: { path: 'new' },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  }
  return [
    `curl -s ${address} -H '${bearer}' \\`,
    `  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\`,
    `  -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: create_directory' \\`,
    `  -d '${JSON.stringify(frame)}'`,
  ].join('\n')
}

const options = readOptions()
if (typeof options === 'string') process.exitCode = complain(options) + 1
else process.exitCode = await start(options.port, options.dataDir)
