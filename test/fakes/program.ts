import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { until } from './until.ts'

/** The built program: what a user runs. */
export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
/** The command that starts it, on the Node that runs the tests. */
export const SALLYPORT: readonly string[] = [process.execPath, CLI]

/** How a program ended. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** A program that runs; what it says is kept. */
export class Program {
  readonly child: ChildProcess
  readonly lines: string[] = []
  readonly #end: Promise<End>
  #rest = ''
  #err = ''

  constructor(command: readonly string[], { env = {}, cwd }: ProgramOptions = {}) {
    if (command[1] === CLI && !existsSync(CLI)) throw new Error('`npm run build` comes first')
    const [file = '', ...args] = command
    const path = { PATH: process.env.PATH ?? '' }
    this.child = spawn(file, args, { env: { ...path, ...env }, cwd, stdio: 'pipe' })
    this.child.stdin?.on('error', () => {})
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = lines.pop() ?? ''
      this.lines.push(...lines)
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#err += text
    })
    this.#end = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code, signal) => resolve({ code, signal }))
    })
    this.#end.catch(() => {})
  }

  get pid(): number {
    return this.child.pid ?? -1
  }
  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }
  /** All of stdout. */
  get out(): string {
    return [...this.lines, this.#rest].join('\n')
  }
  /** All of stderr. */
  get err(): string {
    return this.#err
  }
  /** The lines of stderr. */
  get errLines(): readonly string[] {
    return this.#err.split('\n').filter((line) => line !== '')
  }
  /** The log events on stderr. */
  get events(): readonly Record<string, unknown>[] {
    return this.errLines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  write(text: string): void {
    this.child.stdin?.write(text)
  }
  endInput(): void {
    this.child.stdin?.end()
  }
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    if (!this.isOver) this.child.kill(signal)
  }
  /** Resolves once it has ended and all it said was read. */
  ended(): Promise<End> {
    return this.#end
  }
  /** Resolves with the first line of stdout that holds the text. */
  async line(text: string, limitMs = 15_000): Promise<string> {
    const found = () => this.lines.find((line) => line.includes(text))
    await until(() => this.isOver || found() !== undefined, `a line with ${text}`, limitMs)
    const line = found()
    if (line === undefined) throw new Error(`it ended without saying ${text}:\n${this.#err}`)
    return line
  }
  /** Resolves once stderr has a log event of this name that fits. */
  async event(
    name: string,
    fits: (event: Record<string, unknown>) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    const found = () => this.events.find((event) => event.event === name && fits(event))
    await until(() => this.isOver || found() !== undefined, `the log event ${name}`)
    const event = found()
    if (event === undefined) throw new Error(`it ended without ${name}:\n${this.#err}`)
    return event
  }
}

/** Does a process run? One that has ended but that nobody has waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    // Gone since, or a system without /proc.
    return !existsSync('/proc/self')
  }
}
