import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { recommendServer } from '../../core/risk/recommend.ts'
import { CommandError } from '../command.ts'
import type { Report, ScannedServer } from './report.ts'

type Scanned = Extract<ScannedServer, { state: 'scanned' }>

/**
 * Writes the recommended policies: of one server to the file that is named, of several to a file each
 * in the folder that is named. What is there already is left alone. Returns what was written.
 */
export function writePolicies(report: Report, named: string, cwd: string): readonly string[] {
  const scanned = report.servers.filter((s): s is Scanned => s.state === 'scanned')
  if (scanned.length === 0)
    throw new CommandError('no server was scanned: there is no policy to write')
  const path = resolve(cwd, named)
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  const [only] = scanned
  if (report.servers.length === 1 && only !== undefined && !isFolder) return [write(path, only)]
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    throw failed(path, error)
  }
  const taken = new Set<string>()
  return scanned.map((server) => write(join(path, `${fileName(server.name, taken)}.json`), server))
}

function write(file: string, server: Scanned): string {
  if (existsSync(file))
    throw new CommandError(`${file} is there already: move it away, or name another`)
  const text = `${JSON.stringify(recommendServer(server.name, server.tools), null, 2)}\n`
  try {
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    throw failed(file, error)
  }
  return file
}

const failed = (file: string, error: unknown): CommandError =>
  new CommandError(
    `can not write ${file} (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
  )

/** A server's name as the name of a file, different from those that are taken. */
function fileName(name: string, taken: Set<string>): string {
  const plain = name.replace(/[^\w.-]+/g, '-').replace(/^[.-]+|[.-]+$/g, '') || 'server'
  let free = plain
  for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${plain}-${n}`
  taken.add(free.toLowerCase())
  return free
}
