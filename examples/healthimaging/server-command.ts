import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const PACKAGE = 'awslabs.healthimaging-mcp-server'
const folder = join(import.meta.dirname, '.sallyport', 'venv')
const installed = join(folder, 'bin', PACKAGE)

/** The words that start the imaging server, or why there are none. */
export function serverCommand(options: { readonly install: boolean }): readonly string[] {
  const named = (process.env.IMAGING_COMMAND ?? '').trim()
  if (named !== '') return named.split(/\s+/)
  if (options.install && !existsSync(installed)) install()
  if (existsSync(installed)) return [installed]
  if (isOnPath('uvx')) return ['uvx', `${PACKAGE}@latest`]
  throw new Error(
    `no imaging server: set IMAGING_COMMAND, install uvx, or let this script install it with --install`,
  )
}

function install(): void {
  process.stderr.write(`installing ${PACKAGE} from the Python registry …\n`)
  execFileSync('python3', ['-m', 'venv', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync(join(folder, 'bin', 'pip'), ['install', '--quiet', PACKAGE], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

const isOnPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((part) => existsSync(join(part, program)))
