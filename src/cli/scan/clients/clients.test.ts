import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findServers, placesOf } from './find.ts'
import { type ClientId, clientFormats } from './formats.ts'
import { parseJsonc } from './jsonc.ts'
import { parseToml } from './toml.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-clients-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const env = { API_KEY: 'hunter2', MCP_TOKEN: 'hunter3' }

/** Servers of a home and a project that hold these files, by `client: name`. */
function found(files: Readonly<Record<string, string>>, platform = 'linux') {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  const home = join(root, 'home')
  const places = placesOf({
    platform,
    cwd: join(root, 'project'),
    env: { ...env, HOME: home, USERPROFILE: home, APPDATA: join(home, 'AppData', 'Roaming') },
  })
  const { servers } = findServers(places)
  return servers.map(({ client, name, reached }) => ({
    client,
    name,
    reached: reached.kind === 'target' ? reached.target : reached,
  }))
}

const stdio = (command: string, args: readonly string[] = [], more: object = {}) => ({
  kind: 'stdio',
  command,
  args,
  env: {},
  cwd: undefined,
  instances: 'session',
  ...more,
})
const http = (url: string, headers: object = {}, transport = 'auto') => ({
  kind: 'http',
  url,
  headers,
  transport,
})

interface Sample {
  readonly client: ClientId
  readonly file: string
  readonly text: string
  readonly want: readonly (readonly [name: string, reached: object])[]
  readonly platform?: string
}

const mcpServers =
  '{"mcpServers":{"files":{"command":"npx","args":["-y","server-files","/notes"]}}}'
const files = [['files', stdio('npx', ['-y', 'server-files', '/notes'])]] as const

const samples: readonly Sample[] = [
  {
    client: 'claude_code',
    file: 'home/.claude.json',
    text: `{
      "numStartups": 7,
      "mcpServers": { "docs": { "type": "http", "url": "https://docs.example.com/mcp", "headers": { "X-Key": "\${API_KEY}" } } },
      "projects": { "/other": { "mcpServers": { "no": { "command": "no" } } } }
    }`,
    want: [['docs', http('https://docs.example.com/mcp', { 'X-Key': 'hunter2' })]],
  },
  {
    client: 'claude_code_project',
    file: 'project/.mcp.json',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as the client writes it
    text: '{"mcpServers":{"db":{"type":"stdio","command":"db-mcp","args":[],"env":{"LEVEL":"${LEVEL:-info}"}},"old":{"type":"sse","url":"https://old.example.com/sse"}}}',
    want: [
      ['db', stdio('db-mcp', [], { env: { LEVEL: 'info' } })],
      ['old', http('https://old.example.com/sse', {}, 'sse')],
    ],
  },
  {
    client: 'claude_desktop',
    file: 'home/.config/Claude/claude_desktop_config.json',
    text: mcpServers,
    want: files,
  },
  {
    client: 'claude_desktop',
    platform: 'darwin',
    file: 'home/Library/Application Support/Claude/claude_desktop_config.json',
    text: mcpServers,
    want: files,
  },
  {
    client: 'claude_desktop',
    platform: 'win32',
    file: 'home/AppData/Roaming/Claude/claude_desktop_config.json',
    text: `\ufeff${mcpServers}`,
    want: files,
  },
  {
    client: 'cursor',
    file: 'home/.cursor/mcp.json',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as the client writes it
    text: '{"mcpServers":{"remote":{"url":"https://mcp.example.com/mcp","headers":{"Authorization":"Bearer ${env:MCP_TOKEN}"}}}}',
    want: [['remote', http('https://mcp.example.com/mcp', { Authorization: 'Bearer hunter3' })]],
  },
  {
    client: 'vscode',
    file: 'project/.vscode/mcp.json',
    text: `{
      // what the workspace needs
      "inputs": [{ "type": "promptString", "id": "key", "password": true }],
      "servers": {
        "play": { "type": "stdio", "command": "npx", "args": ["-y", "@playwright/mcp"], "cwd": "\${workspaceFolder}", },
        "asks": { "type": "http", "url": "https://x.example.com/mcp", "headers": { "Key": "\${input:key}" } }, /* later */
      },
    }`,
    want: [
      ['play', { kind: 'stdio', command: 'npx', args: ['-y', '@playwright/mcp'] }],
      ['asks', { kind: 'unreadable', reason: 'it needs the input `key`' }],
    ],
  },
  {
    client: 'vscode',
    file: 'home/.config/Code/User/settings.json',
    text: '{ "editor.fontSize": 12, "mcp": { "servers": { "s": { "command": "s" } } } }',
    want: [['s', stdio('s')]],
  },
  {
    client: 'windsurf',
    file: 'home/.codeium/windsurf/mcp_config.json',
    text: '{"mcpServers":{"figma":{"serverUrl":"https://figma.example.com/mcp"},"off":{"command":"x","disabled":true}}}',
    want: [
      ['figma', http('https://figma.example.com/mcp')],
      ['off', { kind: 'off' }],
    ],
  },
  {
    client: 'codex',
    file: 'home/.codex/config.toml',
    text: `
      model = "gpt-5"   # the default
      notify = ["python3", '/bin/notify.py',]
      [mcp_servers.context7]
      command = "npx"
      args = ["-y", "@upstash/context7-mcp@4.1.1"]
      env_vars = ["API_KEY"]
      startup_timeout_sec = 20
      [mcp_servers.context7.env]
      MODE = "fast"
      [mcp_servers."with.dot"]
      url = 'https://figma.example.com/mcp'
      bearer_token_env_var = "MCP_TOKEN"
      http_headers = { "X-Region" = "eu" }
      env_http_headers = { "X-Key" = "API_KEY" }
      [mcp_servers.off]
      command = "x"
      enabled = false
    `,
    want: [
      [
        'context7',
        stdio('npx', ['-y', '@upstash/context7-mcp@4.1.1'], {
          env: { MODE: 'fast', API_KEY: 'hunter2' },
        }),
      ],
      [
        'with.dot',
        http('https://figma.example.com/mcp', {
          'X-Region': 'eu',
          'X-Key': 'hunter2',
          Authorization: 'Bearer hunter3',
        }),
      ],
      ['off', { kind: 'off' }],
    ],
  },
  {
    client: 'gemini_cli',
    file: 'home/.gemini/settings.json',
    text: '{"mcpServers":{"web":{"httpUrl":"https://web.example.com/mcp","timeout":5000},"py":{"command":"python","args":["-m","s"],"cwd":"./server","trust":false}}}',
    want: [
      ['web', http('https://web.example.com/mcp')],
      ['py', { kind: 'stdio', command: 'python', args: ['-m', 's'] }],
    ],
  },
  {
    client: 'zed',
    file: 'home/.config/zed/settings.json',
    text: '{"theme":"One","context_servers":{"a":{"source":"custom","command":"a","args":["1"],"env":{}},"b":{"command":{"path":"b","args":["2"],"env":{"X":"1"}}},"c":{"url":"https://c.example.com/mcp"}}}',
    want: [
      ['a', stdio('a', ['1'])],
      ['b', stdio('b', ['2'], { env: { X: '1' } })],
      ['c', http('https://c.example.com/mcp')],
    ],
  },
  { client: 'jetbrains', file: 'home/.junie/mcp/mcp.json', text: mcpServers, want: files },
  {
    client: 'jetbrains',
    file: 'home/.config/github-copilot/intellij/mcp.json',
    text: '{"servers":{"files":{"command":"npx","args":["-y","server-files","/notes"]}}}',
    want: files,
  },
  {
    client: 'cline',
    file: 'home/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json',
    text: '{"mcpServers":{"r":{"type":"streamableHttp","url":"https://r.example.com/mcp","disabled":false,"autoApprove":[]}}}',
    want: [['r', http('https://r.example.com/mcp')]],
  },
  {
    client: 'cline',
    file: 'home/.cline/data/settings/cline_mcp_settings.json',
    text: mcpServers,
    want: files,
  },
  {
    client: 'continue',
    file: 'home/.continue/config.yaml',
    text: `
name: mine
version: 1.0.0
mcpServers:
  - name: SQLite
    command: npx
    args: ["-y", "mcp-sqlite", "/data.db"]
    env:
      LEVEL: info
  - name: remote
    type: streamable-http
    url: https://r.example.com/mcp
    requestOptions:
      headers:
        Authorization: Bearer \${{ secrets.MCP_TOKEN }}
`,
    want: [
      ['SQLite', stdio('npx', ['-y', 'mcp-sqlite', '/data.db'], { env: { LEVEL: 'info' } })],
      ['remote', http('https://r.example.com/mcp', { Authorization: 'Bearer hunter3' })],
    ],
  },
  {
    client: 'continue',
    file: 'project/.continue/mcpServers/copied.json',
    text: mcpServers,
    want: files,
  },
  {
    client: 'opencode',
    file: 'home/.config/opencode/opencode.json',
    text: '{"mcp":{"local":{"type":"local","command":["bun","x","my-mcp"],"environment":{"K":"{env:API_KEY}"},"enabled":true},"far":{"type":"remote","url":"https://far.example.com/mcp","enabled":false}}}',
    want: [
      ['local', stdio('bun', ['x', 'my-mcp'], { env: { K: 'hunter2' } })],
      ['far', { kind: 'off' }],
    ],
  },
  {
    client: 'opencode',
    file: 'project/opencode.jsonc',
    text: '{ "mcp": { "servers": { "s": { "type": "local", "command": ["s"] }, /* the newer form */ } } }',
    want: [['s', stdio('s')]],
  },
  {
    client: 'goose',
    file: 'home/.config/goose/config.yaml',
    text: `
GOOSE_PROVIDER: anthropic
extensions:
  developer: { enabled: true, type: builtin, name: developer }
  github:
    enabled: true
    type: stdio
    cmd: npx
    args: [-y, "@modelcontextprotocol/server-github"]
    envs: { A: b }
    env_keys: [API_KEY]
  far: { enabled: true, type: streamable_http, uri: "https://far.example.com/mcp", headers: { K: v } }
  nested: { enabled: true, config: { type: stdio, cmd: x, args: [] } }
`,
    want: [
      [
        'github',
        stdio('npx', ['-y', '@modelcontextprotocol/server-github'], {
          env: { A: 'b', API_KEY: 'hunter2' },
        }),
      ],
      ['far', http('https://far.example.com/mcp', { K: 'v' })],
      ['nested', stdio('x')],
    ],
  },
  {
    client: 'lm_studio',
    file: 'home/.lmstudio/mcp.json',
    text: '{"mcpServers":{"hf":{"url":"https://huggingface.co/mcp","headers":{"Authorization":"Bearer x"}}}}',
    want: [['hf', http('https://huggingface.co/mcp', { Authorization: 'Bearer x' })]],
  },
]

test('every client has a sample', () => {
  const sampled = new Set(samples.map(({ client }) => client))
  expect([...sampled].toSorted()).toEqual(Object.keys(clientFormats).toSorted())
})

test.each(samples)('$client is read from $file', ({ client, file, text, want, platform }) => {
  const servers = found({ [file]: text }, platform)
  expect(servers.map((s) => [s.client, s.name])).toEqual(want.map(([name]) => [client, name]))
  for (const [at, [, reached]] of want.entries())
    expect(servers[at]?.reached).toMatchObject(reached)
})

test('servers that Claude Code keeps for one folder count in that folder', () => {
  const project = join(root, 'project')
  const text = JSON.stringify({
    projects: { [project]: { mcpServers: { here: { command: 'h' } } } },
  })
  expect(found({ 'home/.claude.json': text }).map(({ name }) => name)).toEqual(['here'])
})

test('a file that can not be read is told, and hides no other', () => {
  mkdirSync(join(root, 'home/.cursor'), { recursive: true })
  mkdirSync(join(root, 'project'), { recursive: true })
  writeFileSync(join(root, 'home/.cursor/mcp.json'), '{ "mcpServers": ')
  writeFileSync(join(root, 'project/.mcp.json'), mcpServers)
  const home = join(root, 'home')
  const { servers, files: read } = findServers(
    placesOf({ platform: 'linux', cwd: join(root, 'project'), env: { HOME: home } }),
  )
  expect(servers.map(({ name }) => name)).toEqual(['files'])
  expect(read.map(({ client, isReadable }) => [client, isReadable])).toEqual([
    ['Claude Code (project)', true],
    ['Cursor', false],
  ])
})

describe('any text', () => {
  test('is read or refused by every format, without a throw', () => {
    const places = placesOf({ platform: 'linux', cwd: '/', env: {} })
    const odd = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((v) => `{"mcpServers":${JSON.stringify(v)}}`),
    )
    fc.assert(
      fc.property(odd, (text) => {
        for (const format of Object.values(clientFormats)) {
          const servers = format.read(text, places)
          expect(servers === undefined || Array.isArray(servers)).toBe(true)
        }
      }),
    )
  })
})

test('comments and trailing commas are no JSON of strings', () => {
  expect(parseJsonc('{"a": "// no, /* not */ a comment,}", /* b */ "c": [1, 2,],\n}//')).toEqual({
    a: '// no, /* not */ a comment,}',
    c: [1, 2],
  })
  expect(parseJsonc('{"a": "x\\"//y"}')).toEqual({ a: 'x"//y' })
  expect(parseJsonc('{')).toBeUndefined()
})

describe('TOML', () => {
  test.each([
    ['a = 1\nb.c = "x\\u00e9\\n"\n', { a: 1, b: { c: 'xé\n' } }],
    ["p = 'C:\\dir' # note\nq = '''\nraw \\n'''", { p: 'C:\\dir', q: 'raw \\n' }],
    ['s = """\nfolded \\\n   here"""', { s: 'folded here' }],
    ['l = [ 1, # one\n "two",\n [true], ]', { l: [1, 'two', [true]] }],
    ['[a."b.c"]\nd = { e = -1_000, f = [] }', { a: { 'b.c': { d: { e: -1000, f: [] } } } }],
    ['[[x]]\nn = 1\n[[x]]\nn = 2\n[x.y]\nz = 3', { x: [{ n: 1 }, { n: 2, y: { z: 3 } }] }],
    ['__proto__ = 1\n[constructor]\na = 1', JSON.parse('{"__proto__":1,"constructor":{"a":1}}')],
  ])('%j is read', (text, want) => {
    expect(JSON.parse(JSON.stringify(parseToml(text)))).toEqual(want)
  })
  test.each(['a = ', 'a = 1 2', '[a', 'a = "x', 'a = [1', 'a = 1\na = 2', 'a = 1\n[a.b]', '= 1'])(
    '%j is refused',
    (text) => expect(parseToml(text)).toBeUndefined(),
  )
  test('any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseToml(text)
        parseToml(`a = ${text}`)
      }),
    )
    expect(parseToml(`a = ${'['.repeat(100_000)}`)).toBeUndefined()
  })
})
