import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { GatewayError } from '../../core/errors.ts'
import { forgetGroup, rememberGroup } from './last-resort.ts'
import { createLineFraming, idFromEnds } from './line-framing.ts'

/** How a process ended. */
export interface ChildExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** What a child tells of. */
export interface ChildEvents {
  /** One line of stdout, without its end. */
  line(bytes: Buffer): void
  /** A line of stdout that was too long to keep; its JSON-RPC id where its ends show it. */
  tooLong(id: string | number | undefined, bytes: number): void
  /** Bytes of stderr; never when stderr is inherited. */
  stderr(chunk: Buffer): void
  /** It could not be started. Nothing else is told of it. */
  failed(error: GatewayError): void
  /** It has ended and everything that it wrote has been told. */
  exited(exit: ChildExit): void
}

/** What to start, and how. */
export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  readonly stderr: 'pipe' | 'inherit'
  readonly maxLineBytes: number
  /** How long to wait after closing stdin, and then after SIGTERM. */
  readonly graceMs: { readonly stdin: number; readonly term: number }
}

/** A process that we talk to in lines. */
export interface Child {
  readonly pid: number | undefined
  /** Writes one message as one line; false when the process takes no more for now. */
  write(message: Uint8Array): boolean
  /** Bytes written that the process has not taken yet. */
  backlog(): number
  pause(): void
  resume(): void
  /** Sends a signal to it and everything that it started. */
  signal(signal: NodeJS.Signals): void
  /** Closes stdin, then SIGTERM, then SIGKILL; resolves once it has ended. */
  close(): Promise<void>
}

const NEWLINE = Buffer.from('\n')
/** How long output is awaited after the process itself has ended. */
const LAST_WORDS_MS = 500

/** Starts a process. Never throws: what goes wrong is told through `events.failed`. */
export function spawnChild(options: ChildOptions, events: ChildEvents): Child {
  const started = startProcess(options)
  if (started instanceof GatewayError) {
    queueMicrotask(() => events.failed(started))
    return unstarted
  }
  const { stdin, stdout, stderr, pid } = started
  if (stdin === null || stdout === null) throw new TypeError('the child has no pipes')
  let isOver = false
  let resolveEnded = (): void => {}
  const ended = new Promise<void>((resolve) => {
    resolveEnded = resolve
  })

  const finish = (tell: () => void): void => {
    if (isOver) return
    isOver = true
    tell()
    resolveEnded()
  }
  const framing = createLineFraming(options.maxLineBytes, {
    line: (bytes) => events.line(bytes),
    tooLong: (head, tail, total) => events.tooLong(idFromEnds(head, tail), total),
  })

  const signal = (name: NodeJS.Signals): void => {
    if (pid !== undefined) signalGroup(pid, name)
  }

  stdout.on('data', (chunk: Buffer) => framing.push(chunk))
  stderr?.on('data', (chunk: Buffer) => events.stderr(chunk))
  for (const stream of [stdout, stderr]) stream?.on('error', () => {})
  // A process that no longer reads or writes is of no use: usually its exit follows at once.
  const useless = (): void => {
    setTimeout(() => void close().catch(() => {}), LAST_WORDS_MS).unref()
  }
  stdin.on('error', useless)
  stdout.once('end', useless)
  started.once('error', (cause) => {
    if (pid === undefined) finish(() => events.failed(startError(options, cause)))
  })
  if (pid !== undefined) rememberGroup(pid)
  started.once('exit', (code, name) => {
    // What it started (`npx`, `uvx`, a shell) must not outlive it.
    signal('SIGTERM')
    if (pid !== undefined) forgetGroup(pid, options.graceMs.term)
    const last = (): void => {
      clearTimeout(timer)
      framing.end()
      finish(() => events.exited({ code, signal: name }))
    }
    const timer = setTimeout(last, LAST_WORDS_MS)
    // A reader that has paused would keep the last lines from ever arriving.
    stdout.resume()
    started.once('close', last)
  })

  const close = async (): Promise<void> => {
    if (isOver) return
    stdin.end()
    stdout.resume()
    const term = setTimeout(() => signal('SIGTERM'), options.graceMs.stdin)
    const kill = setTimeout(() => signal('SIGKILL'), options.graceMs.stdin + options.graceMs.term)
    await ended
    clearTimeout(term)
    clearTimeout(kill)
  }

  return {
    pid,
    write(message) {
      if (isOver || stdin.destroyed || stdin.writableEnded) return true
      stdin.cork()
      stdin.write(onOneLine(message))
      const hasRoom = stdin.write(NEWLINE)
      process.nextTick(() => stdin.uncork())
      return hasRoom
    },
    backlog: () => stdin.writableLength,
    pause: () => void stdout.pause(),
    resume: () => void stdout.resume(),
    signal(name) {
      if (!isOver) signal(name)
    },
    close,
  }
}

/** Stands for a process that could not be started. */
const unstarted: Child = {
  pid: undefined,
  write: () => true,
  backlog: () => 0,
  pause: () => {},
  resume: () => {},
  signal: () => {},
  close: async () => {},
}

function startProcess(options: ChildOptions): ChildProcess | GatewayError {
  if (options.cwd !== undefined && !isFolder(options.cwd))
    // spawn would blame the command for it.
    return new GatewayError('upstream_unreachable', 'its working directory does not exist')
  try {
    return spawn(options.command, [...options.args], {
      env: { ...options.env },
      cwd: options.cwd,
      stdio: ['pipe', 'pipe', options.stderr],
      // A process group of its own, so that what it starts can be ended with it.
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
  } catch (cause) {
    return startError(options, cause)
  }
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

function startError(options: ChildOptions, cause: unknown): GatewayError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
  const path = options.command.includes('/') || options.command.includes('\\')
  const why: Readonly<Record<string, string>> = {
    ENOENT: path
      ? `\`${options.command}\` does not exist`
      : `\`${options.command}\` was not found on PATH; install it, or give its full path`,
    EACCES: `\`${options.command}\` may not be executed; check its permissions`,
    EAGAIN: 'the system allows no more processes',
    EMFILE: 'the gateway has too many open files',
    E2BIG: 'its arguments and environment are too long',
    ERR_INVALID_ARG_VALUE: 'its command, arguments or environment hold a null character',
  }
  const detail = why[code] ?? `\`${options.command}\` could not be started: ${code}`
  return new GatewayError('upstream_unreachable', detail, { cause })
}

/** Signals a process group; true when there was one. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
    return true
  } catch {
    return false
  }
}

/**
 * The message with no line end in it. INVARIANT: it is valid JSON, where a bare line end is only
 * ever white space between tokens, so a space in its place changes nothing.
 */
export function onOneLine(message: Uint8Array): Uint8Array {
  if (!message.includes(0x0a) && !message.includes(0x0d)) return message
  return message.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte))
}
