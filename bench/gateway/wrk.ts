import { spawn } from 'node:child_process'
import { accessSync, constants, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { BenchError } from './bench-error.ts'
import { callBody, callHeaders } from './call.ts'

/** What one load came to; times in microseconds. */
export interface LoadResult {
  readonly requests: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly errors: number
}

/** Throws a {@link BenchError} that says what is missing for putting something under load. */
export function requireLoadTools(): void {
  if (process.platform !== 'linux')
    throw new BenchError('the load is measured on Linux only: it reads CPU times from /proc')
  if (availableParallelism() < 2)
    throw new BenchError('the load needs two CPUs: one for what is measured, one for the load')
  requireOnPath('wrk', 'install it, on Debian and Ubuntu with `apt-get install wrk`')
  requireOnPath('taskset', 'install it, on Debian and Ubuntu with `apt-get install util-linux`')
}

function requireOnPath(command: string, mend: string): void {
  const isThere = (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  if (!isThere) throw new BenchError(`\`${command}\` is not on the PATH; ${mend}`)
}

// Only `]==]` ends such a string, and nothing of ours has it.
const luaText = (text: string): string => `[==[${text}]==]`

/** Writes the script by which wrk makes the measured call and says what came of it. */
export function writeScript(file: string, token: string): string {
  const headers = Object.entries(callHeaders(token)).map(
    ([name, value]) => `wrk.headers[ ${luaText(name)} ] = ${luaText(value)}`,
  )
  writeFileSync(
    file,
    [
      'wrk.method = "POST"',
      `wrk.body = ${luaText(callBody)}`,
      ...headers,
      'function done(summary, latency)',
      '  local e = summary.errors',
      '  local failed = e.connect + e.read + e.write + e.timeout + e.status',
      '  print(string.format("MEASURED %d %d %d %d %d", summary.requests, summary.duration,',
      '    latency:percentile(50), latency:percentile(99), failed))',
      'end',
      '',
    ].join('\n'),
    { mode: 0o600 },
  )
  return file
}

/** Puts a URL under closed-loop load for some seconds, from one CPU. */
export async function load(o: {
  readonly url: string
  readonly script: string
  readonly conns: number
  readonly secs: number
  readonly cpu: number
}): Promise<LoadResult> {
  const args = ['wrk', '-t1', `-c${o.conns}`, `-d${o.secs}s`, '--timeout', '10s']
  const said = await output('taskset', ['-c', String(o.cpu), ...args, '-s', o.script, o.url])
  const figures = /^MEASURED (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(said)?.slice(1).map(Number)
  if (figures === undefined) throw new BenchError(`wrk could not load ${o.url}: ${lastLine(said)}`)
  const [requests = 0, us = 0, p50 = 0, p99 = 0, errors = 0] = figures
  return { requests, perSecond: (requests / us) * 1e6, p50, p99, errors }
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? ''

const output = (command: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    child.once('error', reject)
    child.once('close', () => resolve(said))
  })
