import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BenchError } from './bench-error.ts'

/** A started process that listens. */
export interface Listening {
  readonly pid: number
  readonly url: string
}

const START_LIMIT_MS = 20_000
const STOP_LIMIT_MS = 3000

/** The processes of one run: all are ended with it, by their ids. */
export class Children {
  readonly #logs: string
  readonly #running = new Set<ChildProcess>()

  /** @param logs the folder that their stderr goes to */
  constructor(logs: string) {
    this.#logs = logs
  }

  /** Starts a process that prints `… listening on URL`; pinned to a CPU, where one is given. */
  async listen(
    name: string,
    o: { readonly node: readonly string[]; readonly cpu?: number },
  ): Promise<Listening> {
    const words = [process.execPath, ...o.node]
    const [command = '', ...args] =
      o.cpu === undefined ? words : ['taskset', '-c', String(o.cpu), ...words]
    const file = join(this.#logs, `${name}.log`)
    const log = openSync(file, 'a')
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', log] })
    closeSync(log)
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    try {
      return { pid: child.pid ?? 0, url: await listeningUrl(child) }
    } catch {
      const last = readFileSync(file, 'utf8').trimEnd().split('\n').at(-1)
      throw new BenchError(`${name} did not start: ${last === '' ? 'it said nothing' : last}`)
    }
  }

  /** Ends one process: asks first, and insists when it does not listen. */
  async end(pid: number): Promise<void> {
    const child = [...this.#running].find((one) => one.pid === pid)
    if (child === undefined) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
    await gone
    clearTimeout(limit)
  }

  /** Ends them all. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.end(child.pid ?? 0)))
  }

  /** Ends them all at once, for when there is no time to wait. */
  kill(): void {
    for (const child of this.#running) child.kill('SIGKILL')
  }
}

const listeningUrl = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = ''
    const limit = setTimeout(() => reject(new Error('too slow')), START_LIMIT_MS)
    const settle = (done: () => void): void => {
      clearTimeout(limit)
      done()
    }
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const url = /listening on (http:\S+)\n/.exec(said)?.[1]
      if (url !== undefined) settle(() => resolve(url))
    })
    child.once('error', (error) => settle(() => reject(error)))
    child.once('exit', () => settle(() => reject(new Error('it ended'))))
  })
