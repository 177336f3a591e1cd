import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type End, Program, type ProgramOptions, SALLYPORT } from './program.ts'

/** A gateway that listens. */
export interface Served {
  readonly url: string
  readonly program: Program
  /** The URL of a server behind it. */
  mcp(server: string): string
}

/** How a program that was waited for ended, and what it said. */
export interface Done extends End {
  readonly out: string
  readonly err: string
  readonly errLines: readonly string[]
}

/** A folder of its own and every process that was started in it; closing ends and removes all. */
export class Space {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-e2e-')))
  readonly dataDir = join(this.path, 'data')
  readonly #programs: Program[] = []
  readonly #closers: (() => unknown)[] = []

  /** Writes a file by renaming it into place; anything but a text becomes JSON. */
  file(name: string, content: unknown): string {
    const path = join(this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(`${path}.new`, text, { mode: 0o600 })
    renameSync(`${path}.new`, path)
    return path
  }

  /** Starts any program. */
  startOther(command: readonly string[], options: ProgramOptions = {}): Program {
    const env = { HOME: this.path, ...options.env }
    const program = new Program(command, { cwd: this.path, ...options, env })
    this.#programs.push(program)
    return program
  }

  /** Starts the built program. */
  start(args: readonly string[], options: ProgramOptions = {}): Program {
    const env = { SALLYPORT_DATA_DIR: this.dataDir, NO_COLOR: '1', ...options.env }
    return this.startOther([...SALLYPORT, ...args], { ...options, env })
  }

  /** Runs the built program to its end, with `input` as the whole of stdin. */
  async run(
    args: readonly string[],
    options: ProgramOptions & { input?: string } = {},
  ): Promise<Done> {
    const program = this.start(args, options)
    program.write(options.input ?? '')
    program.endInput()
    return done(program)
  }

  /** Starts `serve` with a configuration (`version` is added) and waits until it listens. */
  async serve(
    config: object,
    options: ProgramOptions & { args?: readonly string[]; port?: number } = {},
  ): Promise<Served> {
    const file = this.file('sallyport.yaml', { version: 1, ...config })
    const args = [
      'serve',
      '--config',
      file,
      '--port',
      String(options.port ?? 0),
      ...(options.args ?? []),
    ]
    const program = this.start(args, options)
    const line = await program.line('sallyport listening on ')
    const url = line.slice('sallyport listening on '.length)
    return { url, program, mcp: (server) => `${url}/mcp/${server}` }
  }

  /** Closes something together with the rest. */
  later(close: () => unknown): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close()
    for (const program of this.#programs) program.kill('SIGKILL')
    await Promise.all(this.#programs.map((program) => program.ended().catch(() => {})))
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Waits for the end of a program. */
export async function done(program: Program): Promise<Done> {
  const end = await program.ended()
  return { ...end, out: program.out, err: program.err, errLines: program.errLines }
}
