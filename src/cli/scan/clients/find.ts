import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type ClientFormat, type ClientId, clientFormats, type Places } from './formats.ts'
import { type Reached, targetOf } from './target.ts'

/** The largest file that is read: Claude Code keeps its history beside its servers. */
const MAX_FILE = 64 << 20
const MAX_FILES_IN_FOLDER = 100

/** A server that a client on this machine is configured with. */
export interface FoundServer {
  readonly client: ClientId
  readonly clientTitle: string
  readonly file: string
  readonly name: string
  readonly reached: Reached
}

/** What was found, and the files that could not be read. */
export interface Found {
  readonly servers: readonly FoundServer[]
  readonly files: readonly {
    readonly client: string
    readonly file: string
    readonly isReadable: boolean
  }[]
}

/** Where clients keep their settings, by the platform's conventions. */
export function placesOf(o: {
  platform: string
  cwd: string
  env: Readonly<Record<string, string | undefined>>
}): Places {
  const { platform, cwd, env } = o
  const isWindows = platform === 'win32'
  const home = (isWindows ? env.USERPROFILE : env.HOME) ?? '/'
  const config = env.XDG_CONFIG_HOME ?? join(home, '.config')
  const settings = isWindows
    ? (env.APPDATA ?? join(home, 'AppData', 'Roaming'))
    : platform === 'darwin'
      ? join(home, 'Library', 'Application Support')
      : config
  return { home, cwd, settings, config, isWindows, env }
}

/** Every server of every client configuration on this machine. Reads files, starts nothing. */
export function findServers(places: Places): Found {
  const servers: FoundServer[] = []
  const files: Found['files'][number][] = []
  // Where the project is the home folder, both name the same file.
  for (const [id, format] of Object.entries(clientFormats) as [ClientId, ClientFormat][])
    for (const file of new Set(format.files(places).flatMap(filesAt))) {
      const text = textOf(file)
      if (text === undefined) continue
      const raw = format.read(text, places)
      files.push({ client: format.title, file, isReadable: raw !== undefined })
      for (const [name, server] of raw ?? [])
        servers.push({
          client: id,
          clientTitle: format.title,
          file,
          name,
          reached: targetOf(server, places),
        })
    }
  return { servers, files }
}

/** A file, or each file of a folder that is named with a star. */
function filesAt(path: string): readonly string[] {
  if (basename(path) !== '*') return [path]
  const folder = dirname(path)
  try {
    return readdirSync(folder)
      .filter((name) => /\.(?:ya?ml|json)$/.test(name))
      .toSorted()
      .slice(0, MAX_FILES_IN_FOLDER)
      .map((name) => join(folder, name))
  } catch {
    return []
  }
}

function textOf(file: string): string | undefined {
  try {
    const stats = statSync(file)
    return stats.isFile() && stats.size <= MAX_FILE ? readFileSync(file, 'utf8') : undefined
  } catch {
    return undefined
  }
}
