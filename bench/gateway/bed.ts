import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BenchError } from './bench-error.ts'
import { Children, type Listening } from './children.ts'
import { type PolicyName, type Wiring, writeConfig } from './variants.ts'

/** The CPU of what is measured, and that of the load and the upstream. */
export const cpus = { measured: 0, load: 1 } as const

const root = join(import.meta.dirname, '..', '..')
const program = join(root, 'dist', 'cli.js')
const script = (name: string): string => join(import.meta.dirname, name)

/** What every part of the benchmark stands on: a folder, an upstream, and how to start the rest. */
export class Bed {
  readonly folder: string
  readonly children: Children
  readonly upstream: Listening
  readonly tokens: Wiring['tokens']

  private constructor(folder: string, children: Children, upstream: Listening) {
    this.folder = folder
    this.children = children
    this.upstream = upstream
    this.tokens = { small: newToken(), large: newToken(), sessions: newToken() }
  }

  /** Runs something on a bed of its own; ends all processes and removes the folder after it. */
  static async use<T>(o: { readonly isPinned: boolean }, run: (bed: Bed) => Promise<T>) {
    if (!existsSync(program))
      throw new BenchError('dist/cli.js is not there; run `npm run build` first')
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
    const children = new Children(folder)
    const stop = (): void => {
      children.kill()
      rmSync(folder, { recursive: true, force: true })
    }
    const interrupted = (): void => process.exit(130)
    process.once('exit', stop)
    process.once('SIGINT', interrupted)
    process.once('SIGTERM', interrupted)
    try {
      const pin = o.isPinned ? { cpu: cpus.load } : {}
      const upstream = await children.listen('upstream', {
        node: [script('stub-upstream.ts')],
        ...pin,
      })
      return await run(new Bed(folder, children, upstream))
    } finally {
      await children.endAll()
      process.off('exit', stop)
      process.off('SIGINT', interrupted)
      process.off('SIGTERM', interrupted)
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** Starts the bare proxy, on the CPU of what is measured. */
  bareProxy(): Promise<Listening> {
    const node = [script('bare-proxy.ts'), this.upstream.url]
    return this.children.listen('bare proxy', { node, cpu: cpus.measured })
  }

  /** The command line of a gate with a data directory of its own. */
  gateWords(policy: PolicyName): readonly string[] {
    const folder = mkdtempSync(join(this.folder, 'gate-'))
    const dataDir = join(folder, 'data')
    mkdirSync(dataDir)
    const { tokens } = this
    const config = writeConfig(folder, policy, { upstream: this.upstream.url, tokens })
    return [program, 'serve', '--config', config, '--port', '0', '--data-dir', dataDir]
  }

  /** Starts a gate. */
  gate(policy: PolicyName, o: { readonly cpu?: number } = {}): Promise<Listening> {
    return this.children.listen(`gate ${policy}`, { node: this.gateWords(policy), ...o })
  }
}

const newToken = (): string => `sp_grant_${randomBytes(32).toString('base64url')}`
