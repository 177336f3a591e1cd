import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { parseJsonc } from './jsonc.ts'
import { parseToml } from './toml.ts'

/** Where programs keep their settings on this machine. */
export interface Places {
  readonly home: string
  readonly cwd: string
  /** The folder of settings of desktop programs: Application Support, AppData or .config. */
  readonly settings: string
  /** `~/.config`, or what XDG says. */
  readonly config: string
  readonly isWindows: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A server as a client's file has it: any JSON. */
export type RawServers = readonly (readonly [name: string, raw: unknown])[]

/** One MCP client: where it keeps its servers, and how they are read out of a file's text. */
export interface ClientFormat {
  readonly title: string
  /** Files of the user and of the project; a `*` at the end of a folder stands for each file in it. */
  readonly files: (places: Places) => readonly string[]
  /** The servers of a file; undefined when it can not be read. */
  readonly read: (text: string, places: Places) => RawServers | undefined
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The members of the first of these paths that is there. */
function entriesAt(
  root: unknown,
  ...paths: readonly (readonly string[])[]
): RawServers | undefined {
  if (!isTable(root)) return undefined
  for (const path of paths) {
    let at: unknown = root
    for (const key of path) at = isTable(at) && Object.hasOwn(at, key) ? at[key] : undefined
    if (isTable(at)) return Object.entries(at)
  }
  return []
}

const jsonAt =
  (...paths: readonly (readonly string[])[]) =>
  (text: string): RawServers | undefined =>
    entriesAt(parseJsonc(text), ...paths)

const mcpServers = jsonAt(['mcpServers'])

function yamlOf(text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 20, logLevel: 'error' })
  } catch {
    return undefined
  }
}

/** Claude Code keeps the user's servers and, under `projects`, those of each folder. */
function readClaudeCode(text: string, { cwd }: Places): RawServers | undefined {
  const root = parseJsonc(text)
  const own = entriesAt(root, ['mcpServers'])
  const local = entriesAt(root, ['projects', cwd, 'mcpServers'])
  return own === undefined || local === undefined ? undefined : [...own, ...local]
}

/** Continue names servers in a list; the files that it takes over from others are tables. */
function readContinue(text: string): RawServers | undefined {
  const root = yamlOf(text)
  if (!isTable(root)) return undefined
  const listed = root.mcpServers
  if (!Array.isArray(listed)) return entriesAt(root, ['mcpServers'])
  return listed
    .filter(isTable)
    .map((server, i) => [String(server.name ?? `server ${i + 1}`), server])
}

const codeFolders = (settings: string): readonly string[] =>
  ['Code', 'Code - Insiders', 'VSCodium'].map((name) => join(settings, name, 'User'))

/** Every client whose servers are found, by its id. */
export const clientFormats = {
  claude_code: {
    title: 'Claude Code',
    files: ({ home }) => [join(home, '.claude.json')],
    read: readClaudeCode,
  },
  claude_code_project: {
    title: 'Claude Code (project)',
    files: ({ cwd }) => [join(cwd, '.mcp.json')],
    read: mcpServers,
  },
  claude_desktop: {
    title: 'Claude Desktop',
    files: ({ settings }) => [join(settings, 'Claude', 'claude_desktop_config.json')],
    read: mcpServers,
  },
  cursor: {
    title: 'Cursor',
    files: ({ home, cwd }) => [join(home, '.cursor', 'mcp.json'), join(cwd, '.cursor', 'mcp.json')],
    read: mcpServers,
  },
  vscode: {
    title: 'VS Code',
    files: ({ settings, cwd }) => [
      ...codeFolders(settings).flatMap((dir) => [
        join(dir, 'mcp.json'),
        join(dir, 'settings.json'),
      ]),
      join(cwd, '.vscode', 'mcp.json'),
    ],
    read: jsonAt(['servers'], ['mcp', 'servers']),
  },
  windsurf: {
    title: 'Windsurf',
    files: ({ home }) => [join(home, '.codeium', 'windsurf', 'mcp_config.json')],
    read: mcpServers,
  },
  codex: {
    title: 'Codex',
    files: ({ home, cwd, env }) => [
      join(env.CODEX_HOME ?? join(home, '.codex'), 'config.toml'),
      join(cwd, '.codex', 'config.toml'),
    ],
    read: (text) => entriesAt(parseToml(text), ['mcp_servers']),
  },
  gemini_cli: {
    title: 'Gemini CLI',
    files: ({ home, cwd }) => [
      join(home, '.gemini', 'settings.json'),
      join(cwd, '.gemini', 'settings.json'),
    ],
    read: mcpServers,
  },
  zed: {
    title: 'Zed',
    files: ({ config, settings, cwd, isWindows }) => [
      join(isWindows ? join(settings, 'Zed') : join(config, 'zed'), 'settings.json'),
      join(cwd, '.zed', 'settings.json'),
    ],
    read: jsonAt(['context_servers']),
  },
  jetbrains: {
    title: 'JetBrains',
    files: ({ home, cwd, config }) => [
      join(home, '.junie', 'mcp', 'mcp.json'),
      join(cwd, '.junie', 'mcp', 'mcp.json'),
      join(cwd, '.air', 'mcp.json'),
      join(config, 'github-copilot', 'intellij', 'mcp.json'),
    ],
    read: jsonAt(['mcpServers'], ['servers']),
  },
  cline: {
    title: 'Cline',
    files: ({ settings, home, env }) => [
      ...codeFolders(settings).map((dir) =>
        join(dir, 'globalStorage', 'saoudrizwan.claude-dev', 'settings', 'cline_mcp_settings.json'),
      ),
      env.CLINE_MCP_SETTINGS_PATH ??
        join(home, '.cline', 'data', 'settings', 'cline_mcp_settings.json'),
    ],
    read: mcpServers,
  },
  continue: {
    title: 'Continue',
    files: ({ home, cwd }) => [
      join(home, '.continue', 'config.yaml'),
      join(home, '.continue', 'mcpServers', '*'),
      join(cwd, '.continue', 'mcpServers', '*'),
    ],
    read: readContinue,
  },
  opencode: {
    title: 'opencode',
    files: ({ config, cwd }) =>
      [join(config, 'opencode'), cwd, join(cwd, '.opencode')].flatMap((dir) => [
        join(dir, 'opencode.json'),
        join(dir, 'opencode.jsonc'),
      ]),
    read: jsonAt(['mcp', 'servers'], ['mcp']),
  },
  goose: {
    title: 'Goose',
    files: ({ config, settings, isWindows }) => [
      isWindows
        ? join(settings, 'Block', 'goose', 'config', 'config.yaml')
        : join(config, 'goose', 'config.yaml'),
    ],
    read: (text) => entriesAt(yamlOf(text), ['extensions'])?.filter(([, raw]) => !isBuiltIn(raw)),
  },
  lm_studio: {
    title: 'LM Studio',
    files: ({ home }) => [
      join(home, '.lmstudio', 'mcp.json'),
      join(home, '.cache', 'lm-studio', 'mcp.json'),
    ],
    read: mcpServers,
  },
} satisfies Record<string, ClientFormat>

/** The id of a client. */
export type ClientId = keyof typeof clientFormats

/** Extensions that are part of Goose are no servers. */
function isBuiltIn(raw: unknown): boolean {
  const config = isTable(raw) && isTable(raw.config) ? raw.config : raw
  return (
    isTable(config) &&
    ['builtin', 'platform', 'frontend', 'inline_python'].includes(String(config.type))
  )
}
