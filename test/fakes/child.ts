import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { until } from './until.ts'

/** A TypeScript program of this repository, run as a process of its own. */
export interface Child {
  readonly lines: readonly string[]
  readonly errors: () => string
  say(line: string): void
  /** Resolves once it has said a line that starts so; gives the line. */
  said(start: string): Promise<string>
  kill(): Promise<void>
  /** Resolves once it has ended by itself. */
  ended(): Promise<number | null>
}

/** Starts `children/<name>.ts`. */
export function startChild(name: string, args: readonly string[]): Child {
  const program = fileURLToPath(new URL(`children/${name}.ts`, import.meta.url))
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    program,
    ...args,
  ])
  const lines: string[] = []
  let rest = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk
  })
  const exit = once(child, 'close')
  return {
    lines,
    errors: () => errors,
    say: (line) => void child.stdin.write(`${line}\n`),
    async said(start) {
      await until(
        () => child.exitCode !== null || lines.some((line) => line.startsWith(start)),
        `a child to say ${start}`,
        30_000,
      )
      const line = lines.find((one) => one.startsWith(start))
      if (line === undefined) throw new Error(`it ended without saying ${start}: ${errors}`)
      return line
    },
    async kill() {
      child.kill('SIGKILL')
      await exit
    },
    async ended() {
      const [code] = await exit
      return code as number | null
    },
  }
}
