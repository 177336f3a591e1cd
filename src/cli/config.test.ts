import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Config } from './config/config-model.ts'
import { digestOf } from './config/secret.ts'
import { parseConfig } from './config.ts'

const ref = (text: string): string => `\${${text}}`
const read = (text: string, env: Record<string, string> = {}) =>
  parseConfig(text, { file: '/srv/sallyport.yaml', env })

function good(text: string, env: Record<string, string> = {}): Config {
  const result = read(text, env)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.config
}

/** Problems as `line:col message (hint)`. */
function wrong(text: string, env: Record<string, string> = {}): string[] {
  const result = read(text, env)
  if (result.ok) throw new Error('the configuration was accepted')
  return result.problems.map(
    (p) => `${p.line}:${p.column} ${p.message}${p.hint === undefined ? '' : ` (${p.hint})`}`,
  )
}

const documented = `version: 1
listen: { host: 127.0.0.1, port: 7400 }
store: sqlite                       # sqlite (in the data dir) | postgres://…
counters: store
audit: strict
admin: { token: ${ref('ADMIN')}, commands: true }   # a reference in a flow mapping
servers:
  imaging:
    command: uvx
    args: [awslabs.healthimaging-mcp-server@latest, 7]
    env: { AWS_REGION: us-east-1, DEBUG: true }
    cwd: ./work
    instances: shared
    methods: [vendor/thing]
    era: legacy
  stripe:
    url: https://mcp.stripe.com
    headers: { Authorization: "Bearer ${ref('STRIPE_KEY')}" }
policies:
  readonly: ./policies/readonly.json
grants:
  alice-laptop: { server: imaging, policy: readonly, token: ${ref('ALICE')}, tags: { team: imaging, level: 3 } }
  bob: { server: stripe, token: ${ref('BOB:-bobs-own-token, 16+')}, expires: 2027-01-31, notBefore: 2026-01-01T00:00:00+01:00 }
`.replace('bobs-own-token, 16+', 'bobs-own-token,16+')
const env = { ADMIN: 'sp_admin_0123456789', STRIPE_KEY: 'sk_live_1', ALICE: 'alice-token-0123' }

describe('a valid configuration', () => {
  const config = good(documented, env)
  test('gives every setting', () => {
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 7400, hosts: [], origins: [] })
    expect(config.audit).toBe('strict')
    expect(config.admin).toEqual({ tokenDigest: digestOf(env.ADMIN), commands: true })
    expect(config.policies.get('readonly')).toBe('/srv/policies/readonly.json')
  })
  test('gives servers with their targets', () => {
    expect(config.servers.get('imaging')?.target).toMatchObject({
      kind: 'stdio',
      command: 'uvx',
      args: ['awslabs.healthimaging-mcp-server@latest', '7'],
      env: { AWS_REGION: 'us-east-1', DEBUG: 'true' },
      cwd: '/srv/work',
      instances: 'shared',
    })
    expect(config.servers.get('imaging')?.era).toBe('legacy')
    expect(config.servers.get('stripe')?.era).toBe('auto')
    expect(config.servers.get('stripe')?.target).toMatchObject({
      kind: 'http',
      url: 'https://mcp.stripe.com',
      headers: { Authorization: 'Bearer sk_live_1' },
      transport: 'auto',
    })
  })
  test('keeps digests of tokens, and tags and dates', () => {
    const alice = config.grants.get('alice-laptop')
    expect(alice?.tokenDigest).toBe(digestOf(env.ALICE))
    expect(alice?.tags).toEqual({ team: 'imaging', level: 3 })
    const bob = config.grants.get('bob')
    expect(bob?.tokenDigest).toBe(digestOf('bobs-own-token,16+'))
    expect(bob?.expiresAt).toBe(Date.UTC(2027, 0, 31))
    expect(bob?.notBefore).toBe(Date.UTC(2025, 11, 31, 23))
    expect(bob?.policy).toBeUndefined()
  })
  test('holds no token anywhere', () => {
    const shown = JSON.stringify(config, (_k, v) => (v instanceof Map ? [...v] : v))
    expect(shown).not.toContain(env.ADMIN)
    expect(shown).not.toContain(env.ALICE)
  })
  test('may be JSON, with tabs', () => {
    const text = JSON.stringify({ version: 1, servers: { a: { url: 'http://h/mcp' } } }, null, '\t')
    expect([...good(text).servers.keys()]).toEqual(['a'])
  })
  test('gives a name the same id on every start, of the shape of a UUIDv7', () => {
    const id = config.servers.get('stripe')?.id
    expect(good(documented, env).servers.get('stripe')?.id).toBe(id)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(config.servers.get('imaging')?.id).not.toBe(id)
  })
  test('names the tokens that stand in the file itself', () => {
    const text =
      'version: 1\nadmin: { token: sp_admin_0123456789 }\nservers: { a: { url: http://h } }\ngrants: { g: { server: a, token: abcdefghijklmnop } }'
    expect(good(text).literalSecrets).toEqual(['/admin/token', '/grants/g/token'])
    expect(config.literalSecrets).toEqual([])
  })
})

describe('the environment', () => {
  const server = (value: string): string =>
    `version: 1\nservers: { a: { command: c, env: { V: ${value} } } }`
  const value = (text: string, vars: Record<string, string> = {}): string | undefined => {
    const target = good(server(text), vars).servers.get('a')?.target
    return target?.kind === 'stdio' ? target.env.V : undefined
  }
  test.each([
    ['a variable', ref('X'), { X: 'one' }, 'one'],
    ['a part of a string', `pre-${ref('X')}-post`, { X: 'one' }, 'pre-one-post'],
    ['two in one string', `"${ref('X')}:${ref('Y')}"`, { X: '1', Y: '2' }, '1:2'],
    ['a default', ref('X:-two'), {}, 'two'],
    ['an empty default', ref('X:-'), {}, ''],
    ['a default for an empty variable', ref('X:-two'), { X: '' }, 'two'],
    [
      'a default with structure in it',
      ref('X:-{a: [b, c]} # d'.replace('}', '')),
      {},
      '{a: [b, c] # d',
    ],
    ['an empty variable without a default', ref('X'), { X: '' }, ''],
    ['an escaped reference', `$${ref('X')}`, { X: 'one' }, ref('X')],
    ['a value that looks like YAML', ref('X'), { X: 'a: {b: [' }, 'a: {b: ['],
    ['a value that looks like a reference', ref('X'), { X: ref('Y'), Y: 'no' }, ref('Y')],
    ['a dollar alone', '"$X $ {"', {}, '$X $ {'],
  ] as const)('%s', (_name, text, vars, want) => {
    expect(value(text, vars)).toBe(want)
  })
  test('gives numbers and booleans too', () => {
    const text = `version: 1\nlisten: { port: ${ref('PORT:-7000')} }\nadmin: { commands: ${ref('C')} }`
    expect(good(text, { C: 'true' }).listen.port).toBe(7000)
    expect(good(text, { C: 'true', PORT: '0' }).listen.port).toBe(0)
  })
  test('names a missing variable once, with its place, and how to mend it', () => {
    expect(
      wrong(
        `version: 1\nservers: { a: { url: http://h } }\ngrants:\n  g: { server: a, token: ${ref('TOKEN')} }`,
      ),
    ).toEqual([
      `4:26 the environment variable \`TOKEN\` is not set (set it, or give a default: \`${ref('TOKEN:-default')}\`)`,
    ])
  })
  test('is not read through names that every object has', () => {
    expect(wrong(server(ref('constructor')))[0]).toContain('`constructor` is not set')
  })
  test('a broken reference is a problem', () => {
    expect(wrong(server(`"\${1X}"`))[0]).toContain('begins no reference')
  })
})

const base = 'version: 1\nservers: { a: { url: "http://h" } }\n'

describe('a problem is named with its place', () => {
  test.each<[name: string, text: string, want: string]>([
    ['an empty file', '', '1:1 the file is empty (begin with `version: 1`)'],
    ['a list', '- a', '1:1 expected a configuration, beginning with `version: 1`, found a list'],
    ['no version', 'servers: {}', '1:1 `version` is missing (add `version: 1`)'],
    ['another version', 'version: 2', '1:10 only `version: 1` is known here'],
    ['a near key', 'version: 1\nserver: {}', '2:1 unknown key `server` (did you mean `servers`?)'],
    [
      'a far key',
      'version: 1\nzzzzzz: {}',
      '2:1 unknown key `zzzzzz` (known here: version, listen, store, counters, audit, admin, servers, policies, grants, stacks)',
    ],
    [
      'a key of a server',
      'version: 1\nservers: { a: { url: http://h, heders: {} } }',
      '2:32 unknown key `heders` (did you mean `headers`?)',
    ],
    [
      'a name twice',
      'version: 1\nservers:\n  a: { url: http://h }\n  a: { url: http://i }',
      '4:3 `a` stands here twice; the first is on line 3 (remove or rename one of them)',
    ],
    [
      'a key twice',
      'version: 1\nversion: 1',
      '2:1 `version` stands here twice; the first is on line 1 (remove or rename one of them)',
    ],
    [
      'a database URL',
      'version: 1\nstore: postgres://u:hunter2@h/d',
      '2:8 only `sqlite` (a file in the data dir) is supported today (write `store: sqlite`)',
    ],
    [
      'a Redis URL',
      'version: 1\ncounters: rediss://:hunter2@h',
      '2:11 only `store` (counters beside everything else) is supported today (write `counters: store`)',
    ],
    [
      'a wrong word',
      'version: 1\naudit: buffred',
      '2:8 expected `buffered` or `strict`, found `buffred` (did you mean `buffered`?)',
    ],
    [
      'a stack without servers',
      `${base}stacks:\n  work: {}`,
      '4:9 expected the names of its servers, as `servers: [a, b]`, found a mapping',
    ],
    [
      'a stack of nobody',
      `${base}stacks:\n  work: { servers: [] }`,
      '4:20 expected the names of its servers, as `servers: [a, b]`, found a list',
    ],
    [
      'a stack of a server that is not there',
      `${base}stacks:\n  work: { servers: [aa] }`,
      '4:21 no server `aa` under `servers` (did you mean `a`?)',
    ],
    [
      'a stack that names a server twice',
      `${base}stacks:\n  work: { servers: [a, a] }`,
      '4:20 `a` stands here twice',
    ],
    [
      'a stack of a server whose tools could be read in two ways',
      'version: 1\nservers: { a__b: { url: "http://h/" } }\nstacks: { work: { servers: [a__b] } }',
      "3:29 a server whose name holds `__` or ends with `_` can't be in a stack: `{server}__{tool}` could be read in two ways (rename the server)",
    ],
    [
      'a stack with a name that is no part of a URL',
      `${base}stacks:\n  Work: { servers: [a] }`,
      '4:3 `Work`: a stack name is 1 to 63 of a-z, 0-9, `-` and `_`, beginning with a letter or digit',
    ],
    [
      'a grant of a server and of a stack',
      `${base}stacks: { w: { servers: [a] } }\ngrants: { g: { server: a, stack: w, token: 0123456789abcdef } }`,
      '4:27 a grant opens a `server` or a `stack`, not both',
    ],
    [
      'a grant of a stack that is not there',
      `${base}stacks: { w: { servers: [a] } }\ngrants: { g: { stack: ww, token: 0123456789abcdef } }`,
      '4:23 no stack `ww` under `stacks` (did you mean `w`?)',
    ],
    [
      'policies for a server that the stack does not have',
      `${base}policies: { p: ./p.json }\nstacks: { w: { servers: [a] } }\ngrants: { g: { stack: w, policies: { b: p }, token: 0123456789abcdef } }`,
      '5:38 `b` is no server of the stack `w` (did you mean `a`?)',
    ],
    [
      'a policy of a stack that is not there',
      `${base}stacks: { w: { servers: [a] } }\ngrants: { g: { stack: w, policies: { a: p }, token: 0123456789abcdef } }`,
      '4:41 no policy `p` under `policies`',
    ],
    [
      'policies by server without a stack',
      `${base}policies: { p: ./p.json }\ngrants: { g: { server: a, policies: { a: p }, token: 0123456789abcdef } }`,
      '4:27 `policies` belongs to a grant of a `stack`',
    ],
    [
      'a port out of range',
      'version: 1\nlisten: { port: 65536 }',
      '2:17 expected a whole number from 0 to 65535',
    ],
    [
      'a port as text',
      'version: 1\nlisten: { port: "80" }',
      '2:17 expected a whole number from 0 to 65535',
    ],
    [
      'a bad listen host',
      'version: 1\nlisten: { host: "http://x" }',
      '2:11 expected an address to listen on, as `127.0.0.1` or `::1`',
    ],
    [
      'a bad host',
      'version: 1\nlisten: { hosts: ["https://x"] }',
      '2:11 expected host names without scheme and path, as `gateway.example.com`',
    ],
    [
      'a bad origin',
      'version: 1\nlisten: { origins: ["https://x/y"] }',
      '2:11 expected origins: scheme, host and port only, as `https://app.example.com`',
    ],
    [
      'a boolean as text',
      'version: 1\nadmin: { commands: "yes" }',
      '2:20 expected true or false, found a string',
    ],
    [
      'a short admin token',
      'version: 1\nadmin: { token: hunter2 }',
      '2:17 a token has at least 16 characters, this one has 7',
    ],
    [
      'a server of neither kind',
      'version: 1\nservers: { a: {} }',
      '2:15 a server needs a `url` or a `command`',
    ],
    [
      'a server of both kinds',
      'version: 1\nservers: { a: { url: http://h, command: c } }',
      '2:32 a server has a `url` or a `command`, not both',
    ],
    [
      'args of a URL',
      'version: 1\nservers: { a: { url: http://h, args: [] } }',
      '2:32 `args` belongs to a server with a `command`',
    ],
    [
      'headers of a command',
      'version: 1\nservers: { a: { command: c, headers: {} } }',
      '2:29 `headers` belongs to a server with a `url`',
    ],
    [
      'a transport of a command',
      'version: 1\nservers: { a: { command: c, transport: sse } }',
      '2:29 `transport` belongs to a server with a `url`',
    ],
    [
      'a transport that there is not',
      'version: 1\nservers: { a: { url: http://h, transport: ssh } }',
      '2:43 expected `auto` or `http` or `sse`, found `ssh` (did you mean `sse`?)',
    ],
    [
      'a server name in capitals',
      'version: 1\nservers: { A: { url: http://h } }',
      '2:12 `A`: a server name is 1 to 63 of a-z, 0-9, `-` and `_`, beginning with a letter or digit',
    ],
    [
      'a server name with a slash',
      'version: 1\nservers: { a/b: { url: http://h } }',
      '2:12 `a/b`: a server name is 1 to 63 of a-z, 0-9, `-` and `_`, beginning with a letter or digit',
    ],
    [
      'a server name like an id',
      'version: 1\nservers: { 0190a000-0000-7000-8000-000000000000: { url: http://h } }',
      '2:12 `0190a000-0000-7000-8000-000000000000`: a server name may not look like an id (a UUID)',
    ],
    [
      'a URL of another scheme',
      'version: 1\nservers: { a: { url: "ftp://h" } }',
      '2:22 only http and https are reached',
    ],
    [
      'no URL',
      'version: 1\nservers: { a: { url: "h:x:y" } }',
      '2:22 only http and https are reached',
    ],
    [
      'text for a URL',
      'version: 1\nservers: { a: { url: "nonsense" } }',
      '2:22 expected a URL, as `https://mcp.example.com/mcp`',
    ],
    [
      'a URL with a password',
      'version: 1\nservers: { a: { url: "https://u:hunter2@h" } }',
      '2:22 a URL may not hold a user name or password; put credentials into `headers`',
    ],
    [
      'a header name',
      'version: 1\nservers: { a: { url: http://h, headers: { "X Y": hunter2 } } }',
      '2:43 header `X Y`: this is not a header name',
    ],
    [
      'a header of the gateway',
      'version: 1\nservers: { a: { url: http://h, headers: { Host: x } } }',
      '2:43 header `Host`: the gateway writes this header itself',
    ],
    [
      'a header twice',
      'version: 1\nservers: { a: { url: http://h, headers: { X-A: x, x-a: y } } }',
      '2:51 header `x-a` stands here twice; header names know no case',
    ],
    [
      'a header value with a line break',
      'version: 1\nservers: { a: { url: http://h, headers: { X: "hunter2\\r\\ny" } } }',
      '2:46 header `X`: a header value holds no line breaks, control characters or characters beyond Latin-1',
    ],
    [
      'a variable name',
      'version: 1\nservers: { a: { command: c, env: { "A-B": hunter2 } } }',
      '2:36 the name of an environment variable is letters, digits and `_`, not beginning with a digit',
    ],
    [
      'an argument that is a map',
      'version: 1\nservers: { a: { command: c, args: [{}] } }',
      '2:36 expected a string, found a mapping',
    ],
    [
      'an unknown server',
      `${base}grants: { g: { server: b, token: 0123456789abcdef } }`,
      '3:24 no server `b` under `servers` (did you mean `a`?)',
    ],
    [
      'an unknown policy',
      `${base}policies: { readonly: ./r.json }\ngrants: { g: { server: a, policy: readnly, token: 0123456789abcdef } }`,
      '4:35 no policy `readnly` under `policies` (did you mean `readonly`?)',
    ],
    [
      'a grant without server',
      `${base}grants: { g: { token: 0123456789abcdef } }`,
      '3:14 a grant needs a `server`, or a `stack`: what it opens',
    ],
    [
      'a short token',
      `${base}grants: { g: { server: a, token: hunter2 } }`,
      '3:34 a token has at least 16 characters, this one has 7',
    ],
    [
      'a token with blanks',
      `${base}grants: { g: { server: a, token: "hunter2 hunter2 x" } }`,
      '3:34 a token holds only visible ASCII characters, no blanks',
    ],
    [
      'a token twice',
      `${base}grants:\n  g: { server: a, token: 0123456789abcdef }\n  h: { server: a, token: 0123456789abcdef }`,
      '5:3 `h` has the same token as `g` (give every grant its own token)',
    ],
    [
      'a date without zone',
      `${base}grants: { g: { server: a, token: 0123456789abcdef, expires: "2027-01-31T00:00:00" } }`,
      '3:61 expected a date (`2027-01-31`) or a time with its zone (`2027-01-31T09:00:00Z`)',
    ],
    [
      'a date that no calendar has',
      `${base}grants: { g: { server: a, token: 0123456789abcdef, expires: 2027-02-30 } }`,
      '3:61 expected a date (`2027-01-31`) or a time with its zone (`2027-01-31T09:00:00Z`)',
    ],
    [
      'an end before the beginning',
      `${base}grants: { g: { server: a, token: 0123456789abcdef, expires: 2027-01-01, notBefore: 2027-01-02 } }`,
      '3:52 `expires` is not after `notBefore`',
    ],
    [
      'a number that is not exact',
      `${base}grants: { g: { server: a, token: 0123456789abcdef, tags: { n: 9007199254740993 } } }`,
      '3:63 this number can not be held exactly (write it in quotes)',
    ],
    [
      'a policy that is no file name',
      `${base}policies: { p: {} }`,
      '3:16 expected the name of a policy file, found a mapping',
    ],
    [
      'YAML that does not parse',
      'version: 1\nservers: { a: { url: "http://h }',
      '2:33 not valid YAML: a closing quote, bracket, comma or space is missing',
    ],
    [
      'tabs',
      'version: 1\nservers:\n\ta: {}',
      '3:1 not valid YAML: a tab is used as indentation; YAML takes only spaces',
    ],
    [
      'nesting without end',
      `${base}grants: { g: { server: a, token: 0123456789abcdef, tags: ${'{a: '.repeat(40)}1${'}'.repeat(40)} } }`,
      '3:178 nested deeper than 32 levels',
    ],
  ])('%s', (_name, text, want) => {
    expect(wrong(text)).toContain(want)
  })
  test('all of them at once, in the order of the file', () => {
    const text = 'version: 3\nlisten: { port: x }\naudit: no\nservers: { A: {} }'
    expect(wrong(text).map((line) => line.split(' ')[0])).toEqual([
      '1:10',
      '2:17',
      '3:8',
      '4:12',
      '4:15',
    ])
  })
  test('an alias that holds itself ends', () => {
    expect(
      wrong(`${base}grants: { g: { server: a, token: 0123456789abcdef, tags: &t { t: *t } } }`),
    ).toContainEqual(expect.stringContaining('nested deeper than 32 levels'))
  })
})

test('no problem shows a secret', () => {
  const secret = 'hunter2-hunter2-hunter2'
  const texts = [
    `version: 1\nstore: postgres://u:${secret}@h/d`,
    `version: 1\nservers: { a: { url: "https://u:${secret}@h" } }`,
    `version: 1\nservers: { a: { url: "${secret}" } }`,
    `version: 1\nservers: { a: { url: http://h, headers: { X: "${secret}\\n" } } }`,
    `version: 1\nservers: { a: { url: http://h, headers: ${secret} } }`,
    `version: 1\nadmin: ${secret}`,
    `version: 1\nadmin: { token: "${secret} " }`,
    `${base}grants: { g: { server: a, token: ${secret}, expires: never } }`,
    `${base}grants: { g: { server: a, token: ${secret} }, h: { server: a, token: ${secret} } }`,
    `${base}grants: { g: { server: a, token: "${secret} } }`,
    `version: 1\naudit: ${ref('SECRET')}`,
    `${base}grants: { g: { server: ${ref('SECRET')}, token: 0123456789abcdef } }`,
  ]
  for (const text of texts) expect(wrong(text, { SECRET: secret }).join('\n')).not.toContain(secret)
})

test('a key with a line break can not forge a line', () => {
  expect(wrong('version: 1\n"a\\nb": 1')[0]).toContain('unknown key `a\\u000ab`')
})

test('aliases that multiply without end are a problem, soon', () => {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i}: &l${i} [${`*l${i - 1},`.repeat(12)}]`)
  const text = `${base}grants: { g: { server: a, token: 0123456789abcdef, tags: { l: &l [x] } } }\nx: [&l0 [1]]\n${levels.slice(1).join('\n')}`
  expect(wrong(text)).toContainEqual(expect.stringContaining('more than 100000 values'))
})

test('reading is total: any text gives a configuration or problems with places', () => {
  const cut = fc.tuple(fc.nat(documented.length), fc.nat(documented.length), fc.string())
  const edited = cut.map(
    ([from, to, more]) => documented.slice(0, from) + more + documented.slice(to),
  )
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), edited), (text) => {
      const result = read(text, env)
      if (result.ok) return
      expect(result.problems.length).toBeGreaterThan(0)
      for (const p of result.problems) {
        expect(p.line).toBeGreaterThan(0)
        expect(p.column).toBeGreaterThan(0)
        expect(p.message).not.toMatch(/\n/)
      }
    }),
    { numRuns: 500 },
  )
})
