import { describe, expect, test } from 'vitest'
import type { LoadedPolicy } from '../core/snapshot.ts'
import { emptyConfig } from './config/config-model.ts'
import { parseConfig } from './config.ts'
import { noNouns } from './nouns.ts'
import { buildSnapshot } from './snapshot.ts'

const text = `version: 1
servers: { a: { url: "http://h/" }, b: { url: "http://h/" } }
policies: { p: ./p.json, q: ./q.json }
stacks: { work: { servers: [a, b] } }
grants: { g: { stack: work, policy: p, policies: { b: q }, token: 0123456789abcdef } }`
const policy = (name: string): readonly [string, LoadedPolicy] => [
  name,
  { id: name, name, version: '1', policy: {} as LoadedPolicy['policy'] },
]

describe('the snapshot of a configuration with a stack', () => {
  const read = parseConfig(text, { file: '/s/sallyport.yaml', env: {} })
  const config = read.ok ? read.config : emptyConfig

  test('has the stack by name and by id, and its grant with the policies of members', () => {
    const { snapshot } = buildSnapshot(config, new Map([policy('p'), policy('q')]), noNouns)
    const stack = snapshot.stacks.get('work')
    expect(stack).toMatchObject({ name: 'work', servers: ['a', 'b'], source: 'file' })
    expect(snapshot.stacks.get(stack?.id ?? '')).toBe(stack)
    const [grant] = snapshot.grants.values()
    expect(grant).toMatchObject({ server: undefined, policy: { name: 'p' } })
    expect([...(grant?.stack?.policies ?? [])]).toMatchObject([['b', { name: 'q' }]])
  })

  test('keeps a member whose policy is gone from falling back to the policy of all', () => {
    const { snapshot } = buildSnapshot(config, new Map([policy('p')]), noNouns)
    const [grant] = snapshot.grants.values()
    expect(grant?.stack?.policies.has('b')).toBe(true)
    expect(grant?.stack?.policies.get('b')).toBeUndefined()
  })

  test('lets the file win over a stored stack of the same name, and says so', () => {
    const stored = { id: 'x', name: 'work', servers: ['a'], source: 'store' as const }
    const { snapshot, clashes } = buildSnapshot(config, new Map(), { ...noNouns, stacks: [stored] })
    expect(clashes).toEqual([{ kind: 'stack', name: 'work' }])
    expect(snapshot.stacks.get('work')?.servers).toEqual(['a', 'b'])
    expect(snapshot.stacks.has('x')).toBe(false)
  })
})
