import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const program = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')
const policy = join(import.meta.dirname, 'policy.json')
const TOKEN = 'imaging-example-token'

/** A client, connected, and how to end it with all that was started for it. */
export interface Connection {
  readonly client: Client
  readonly close: () => Promise<void>
}

/** What the server's process sees: a region, and certainly no credentials. */
const awsEnvironment = {
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
}

const newClient = (): Client => new Client({ name: 'imaging-example', version: '1.0.0' })

async function overStdio(words: readonly string[]): Promise<Connection> {
  const [command = '', ...args] = words
  const client = newClient()
  const path = process.env.PATH ?? ''
  await client.connect(
    new StdioClientTransport({
      command,
      args,
      env: { PATH: path, HOME: process.env.HOME ?? '', ...awsEnvironment },
      stderr: 'ignore',
    }),
  )
  return { client, close: () => client.close() }
}

/** The server with no gate before it, to compare with. */
export const openDirect = (words: readonly string[]): Promise<Connection> => overStdio(words)

/** The server behind `sallyport wrap`. */
export const openWrapped = (words: readonly string[], dataDir: string): Promise<Connection> =>
  overStdio([
    ...[process.execPath, program, 'wrap', '--policy', policy, '--name', 'imaging'],
    ...['--data-dir', dataDir, '--', ...words],
  ])

/** The server behind `sallyport serve`. */
export async function openServed(words: readonly string[], dataDir: string): Promise<Connection> {
  const config = join(dataDir, 'sallyport.json')
  const [command, ...args] = words
  writeFileSync(
    config,
    JSON.stringify({
      version: 1,
      servers: { imaging: { command, args, env: awsEnvironment } },
      policies: { 'export-only': policy },
      grants: { exporter: { server: 'imaging', policy: 'export-only', token: TOKEN } },
    }),
  )
  const gateway = spawn(
    process.execPath,
    [program, 'serve', '--config', config, '--port', '0', '--data-dir', dataDir],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const url = await listening(gateway)
  const client = newClient()
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/mcp/imaging`), {
      requestInit: { headers: { Authorization: `Bearer ${TOKEN}` } },
    }),
  )
  return {
    client,
    close: async () => {
      await client.close()
      const ended = new Promise((done) => gateway.once('exit', done))
      gateway.kill('SIGTERM')
      await ended
    },
  }
}

function listening(gateway: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    gateway.once('error', failed)
    gateway.once('exit', (code) =>
      failed(new Error(`serve ended with code ${code}; try: npm run build`)),
    )
    if (gateway.stdout === null) return
    createInterface({ input: gateway.stdout }).on('line', (line) => {
      const url = /^sallyport listening on (\S+)$/.exec(line)?.[1]
      if (url !== undefined) found(url)
    })
  })
}
