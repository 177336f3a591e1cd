/** Shows policy.json on the real imaging server, behind `serve` and behind `wrap`. */
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { serverCommand } from './server-command.ts'
import { type Connection, openDirect, openServed, openWrapped } from './ways.ts'

const MAX = 10
const ALLOWED = 'start_dicom_export_job'
const exportJob = {
  name: ALLOWED,
  arguments: {
    datastore_id: '12345678901234567890123456789012',
    data_access_role_arn: 'arn:aws:iam::123456789012:role/Example',
    output_s3_uri: 's3://example-bucket/exports/',
  },
}

interface Denial {
  readonly effect: string
  readonly rule: string
  readonly message: string
  readonly retryAfterSeconds?: number
}

const say = (line: string) => process.stdout.write(`${line}\n`)
const textOf = (result: unknown): string =>
  (result as { content: { text?: string }[] }).content[0]?.text ?? ''

/** What the gate says of a call that it denied; fails where it did not deny it. */
function denialOf(result: Awaited<ReturnType<Connection['client']['callTool']>>): Denial {
  strictEqual(result.isError, true)
  match(textOf(result), /^\[POLICY DENIED\] /)
  return result._meta?.['sallyport.dev/decision'] as Denial
}

/** Not with the end of the minute in sight: the eleven calls must fall into one window. */
async function earlyInAMinute(): Promise<void> {
  const second = (Date.now() / 1_000) % 60
  if (second > 35) {
    say(
      `  (waiting ${Math.ceil(60 - second)} s for a new minute, so that one window holds all calls)`,
    )
    await wait((60 - second) * 1_000 + 50)
  }
}

async function firstMinute(gate: Connection, direct: Known): Promise<number> {
  const { tools } = await gate.client.listTools()
  deepStrictEqual(tools, direct.tools)
  say(`  tools/list   ${tools.length} tools, the same as without the gate`)
  const others = tools.filter((tool) => tool.name !== ALLOWED)
  for (const { name } of others)
    strictEqual(
      denialOf(await gate.client.callTool({ name, arguments: {} })).rule,
      '(default deny)',
    )
  say(`  ${others.length} tools     denied, every one by (default deny)`)
  await earlyInAMinute()
  for (let call = 1; call <= MAX; call += 1)
    deepStrictEqual(await gate.client.callTool(exportJob), direct.answer)
  say(`  calls 1–${MAX}   pass the gate; the server's own answer arrives unchanged`)
  const eleventh = await gate.client.callTool(exportJob)
  const { rule, retryAfterSeconds } = denialOf(eleventh)
  strictEqual(rule, `/tools/${ALLOWED}/limits/0`)
  ok(retryAfterSeconds !== undefined && retryAfterSeconds > 0 && retryAfterSeconds <= 60)
  say(`  call 11      ${textOf(eleventh)} (retryAfterSeconds: ${retryAfterSeconds})`)
  return retryAfterSeconds
}

interface Known {
  readonly tools: unknown
  readonly answer: unknown
}

async function known(words: readonly string[]): Promise<Known> {
  const { client, close } = await openDirect(words)
  const { tools } = await client.listTools()
  const answer = await client.callTool(exportJob)
  await close()
  return { tools, answer }
}

async function show(words: readonly string[], quick: boolean): Promise<void> {
  const folders: string[] = []
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), 'sallyport-imaging-'))
    folders.push(made)
    return made
  }
  const open: Connection[] = []
  const kept = async (opening: Promise<Connection>) => {
    const connection = await opening
    open.push(connection)
    return connection
  }
  try {
    say('the server without a gate')
    const direct = await known(words)
    say(`  ${ALLOWED}: ${textOf(direct.answer)}`)
    say('behind serve')
    const served = await kept(openServed(words, folder()))
    await firstMinute(served, direct)
    say('behind wrap')
    const wrapped = await kept(openWrapped(words, folder()))
    const retryAfterSeconds = await firstMinute(wrapped, direct)
    if (quick) return
    say(`after the window (waiting ${retryAfterSeconds} s)`)
    await wait(retryAfterSeconds * 1_000)
    deepStrictEqual(await served.client.callTool(exportJob), direct.answer)
    deepStrictEqual(await wrapped.client.callTool(exportJob), direct.answer)
    say('  the next call passes again, behind serve and behind wrap')
  } finally {
    await Promise.all(open.map((connection) => connection.close()))
    for (const made of folders) rmSync(made, { recursive: true, force: true })
  }
}

try {
  const { values } = parseArgs({
    options: { install: { type: 'boolean' }, quick: { type: 'boolean' } },
  })
  await show(serverCommand({ install: values.install === true }), values.quick === true)
  say('everything held')
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
