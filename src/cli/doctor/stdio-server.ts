import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import type { ServerTarget } from '../../core/snapshot.ts'
import { childEnvironment } from '../../gateway/upstream/child-environment.ts'
import { type Finding, finder } from './finding.ts'
import { type Hello, helloOf, initialize } from './initialize.ts'

const answerMs = 10_000
const endMs = 2000
const longestLine = 1 << 20

type Stdio = Extract<ServerTarget, { kind: 'stdio' }>

/** Is the command there, and does it answer `initialize`? */
export async function checkStdio(name: string, target: Stdio, version: string): Promise<Finding> {
  const { ok, fail } = finder(`server ${name}`)
  const env = childEnvironment(process.env, target.env)
  if (target.cwd !== undefined && statSync(target.cwd, { throwIfNoEntry: false }) === undefined)
    return fail('its folder (`cwd`) is not there', 'make it, or correct `cwd`')
  if (!isOnPath(target.command, env.PATH ?? '', target.cwd))
    return fail(
      `the command \`${target.command}\` is not on PATH`,
      'install it, or write its full path into `command`',
    )
  const end = await converse(target, env, initialize(version))
  switch (end.kind) {
    case 'hello':
      return ok(`${end.hello.name} answers (MCP ${end.hello.protocol})`)
    case 'refused':
      return fail('it refuses `initialize`', 'check `args` and `env`; run the command by hand')
    case 'babble':
      return fail(
        'it writes something to stdout that is not MCP',
        'check `args`; an MCP server writes its own log to stderr',
      )
    case 'exit':
      return fail(
        `it ends at once (${end.how})`,
        'run the command by hand to see why; set what it needs in `env`',
      )
    case 'timeout':
      return fail(
        `it does not answer \`initialize\` within ${answerMs / 1000} s`,
        'a first start may download it: run the command once by hand',
      )
    default:
      return end satisfies never
  }
}

type End =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'refused' | 'babble' | 'timeout' }
  | { readonly kind: 'exit'; readonly how: string }

function converse(target: Stdio, env: Record<string, string>, line: string): Promise<End> {
  return new Promise((resolveEnd) => {
    const child = spawn(target.command, target.args, {
      cwd: target.cwd,
      env,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    let text = ''
    let isOver = false
    const finish = (end: End): void => {
      if (isOver) return
      isOver = true
      clearTimeout(limit)
      void stop(child).then(() => resolveEnd(end))
    }
    const limit = setTimeout(() => finish({ kind: 'timeout' }), answerMs)
    child.on('error', (error: NodeJS.ErrnoException) =>
      finish({ kind: 'exit', how: error.code ?? 'unknown error' }),
    )
    child.on('exit', (code, signal) => finish({ kind: 'exit', how: signal ?? `exit code ${code}` }))
    child.stdin.on('error', () => undefined)
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const whole of lines) {
        const hello = helloOf(whole)
        if (hello === 'error') finish({ kind: 'refused' })
        else if (hello !== undefined) finish({ kind: 'hello', hello })
        else if (!isJson(whole)) finish({ kind: 'babble' })
      }
      if (text.length > longestLine) finish({ kind: 'babble' })
    })
    child.stdin.write(`${line}\n`)
  })
}

const isJson = (line: string): boolean => line.trim() === '' || line.trimStart().startsWith('{')

/** stdin closed, then SIGTERM, then SIGKILL. */
function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
    return Promise.resolve()
  return new Promise((done) => {
    const term = setTimeout(() => child.kill('SIGTERM'), 300)
    const kill = setTimeout(() => child.kill('SIGKILL'), endMs)
    child.once('exit', () => {
      clearTimeout(term)
      clearTimeout(kill)
      done()
    })
    child.stdin?.end()
  })
}

function isOnPath(command: string, path: string, cwd: string | undefined): boolean {
  const from = cwd ?? process.cwd()
  if (command.includes('/') || command.includes('\\')) return isExecutable(resolve(from, command))
  const endings =
    process.platform === 'win32' ? ['', ...(process.env.PATHEXT ?? '.EXE;.CMD').split(';')] : ['']
  return path
    .split(delimiter)
    .some((folder) =>
      endings.some((ending) => isExecutable(join(resolve(from, folder), command + ending))),
    )
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
