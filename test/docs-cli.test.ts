import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commands } from '../src/cli/commands/index.ts'
import { parseConfig } from '../src/cli/config.ts'
import { routes } from '../src/control/routes/index.ts'

const read = (name: string): string =>
  readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8')

test('the example of docs/configuration.md is valid', () => {
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(read('configuration.md')) ?? []
  const env = {
    SALLYPORT_ADMIN_TOKEN: 'sp_admin_0123456789',
    STRIPE_KEY: 'k',
    ALICE_TOKEN: 'alice-token-01234',
  }
  expect(parseConfig(example, { file: 'sallyport.yaml', env })).toMatchObject({ ok: true })
})

test('every key that the configuration takes is in docs/configuration.md, and no other', () => {
  const text = read('configuration.md')
  const documented = [...text.matchAll(/^\| `([a-z]\S*)` \|/gm)].map((m) => m[1] ?? '')
  /** The keys that are known at a place, from the hint for an unknown one. */
  const known = (yaml: string, prefix: string): string[] => {
    const result = parseConfig(yaml, { file: 'sallyport.yaml', env: {} })
    const hints = result.ok ? [] : result.problems.map((p) => p.hint ?? '')
    const [hint = ''] = hints.filter((h) => h.startsWith('known here: '))
    return hint
      .slice('known here: '.length)
      .split(', ')
      .map((key) => prefix + key)
  }
  const nested = ['listen', 'admin', 'servers', 'policies', 'grants', 'stacks']
  const all = [
    ...known('zzzzzzzz: 1', '').filter((key) => !nested.includes(key)),
    ...known('listen: { zzzzzzzz: 1 }', 'listen.'),
    ...known('admin: { zzzzzzzz: 1 }', 'admin.'),
    ...known('servers: { a: { zzzzzzzz: 1 } }', 'servers.NAME.'),
    ...known('grants: { a: { zzzzzzzz: 1 } }', 'grants.LABEL.'),
    ...known('stacks: { a: { zzzzzzzz: 1 } }', 'stacks.NAME.'),
    'servers.NAME',
    'policies.NAME',
  ]
  expect(documented.toSorted()).toEqual(all.toSorted())
})

test('every command is in docs/cli.md', () => {
  const text = read('cli.md')
  for (const name of Object.keys(commands)) {
    const [group = '', verb = ''] = name.split(' ')
    const isShared = ['add', 'list', 'show', 'rm'].includes(verb)
    expect(text).toContain(isShared ? `\`${group}\`` : `\`${name}`)
  }
})

test('every resource of the admin API is in docs/api.md', () => {
  const text = read('api.md')
  for (const { path } of routes) expect(text).toContain(`\`${path.split('/')[1]}\``)
})
