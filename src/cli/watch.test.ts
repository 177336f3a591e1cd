import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../test/fakes/until.ts'
import type { LogEvent } from '../core/log.ts'
import type { AccessRequest } from '../core/policy/model.ts'
import type { NounStore } from '../core/ports.ts'
import { uuid7 } from '../core/uuid7.ts'
import { MemoryNouns } from '../store/memory/nouns.ts'
import { digestOf } from './config/secret.ts'
import { loadFiles } from './load.ts'
import { type ConfigWatch, type InForce, watchConfig } from './watch.ts'

const token = 'alice-token-01234'
const allow = '{"version":"1","default":"deny","tools":{"pay":{}}}'
const deny = '{"version":"1","default":"deny","tools":{}}'
const config = (more = ''): string => `version: 1
servers: { a: { url: "http://h" } }
policies: { p: ./p.json }
grants: { alice: { server: a, policy: p, token: ${token} } }
${more}`

const request: AccessRequest = {
  subject: {
    grant: { id: 'g', label: 'alice', tags: {} },
    session: undefined,
    client: { name: '', version: '' },
  },
  tool: {
    server: 'a',
    name: 'pay',
    isAdvertised: true,
    category: 'Financial',
    severity: 'High',
    annotations: {},
    properties: {},
  },
  args: {},
  context: { at: 0, counters: new Map() },
}

let dir: string
let file: string
let events: LogEvent[]
let swaps: InForce[]
let watch: ConfigWatch | undefined
let nouns: MemoryNouns

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-watch-'))
  file = join(dir, 'sallyport.yaml')
  writeFileSync(file, config())
  writeFileSync(join(dir, 'p.json'), allow)
  events = []
  swaps = []
  let made = 0
  nouns = new MemoryNouns((at) => uuid7(at, new Uint8Array(10).fill(++made)))
})
afterEach(async () => {
  await watch?.close()
  rmSync(dir, { recursive: true })
})

async function start(store: NounStore = nouns): Promise<ConfigWatch> {
  const result = await watchConfig({
    load: () => loadFiles(file, {}),
    nouns: store,
    onSwap: (next) => swaps.push(next),
    log: (_level, event) => events.push(event),
  })
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  watch = result.watch
  return result.watch
}

/** What the policy of alice's grant decides now. */
const effect = (from: ConfigWatch): string | undefined =>
  from.current().snapshot.grants.get(digestOf(token))?.policy?.policy.decide(request).effect

/** Puts a file in place whole, as careful editors do. */
function replace(name: string, text: string): void {
  writeFileSync(join(dir, `${name}.new`), text)
  renameSync(join(dir, `${name}.new`), join(dir, name))
}
const names = (): string[] => events.map((e) => e.event)

describe('an edit is in force within a second', () => {
  test.each([
    ['renamed over', (text: string) => replace('p.json', text)],
    ['written in place', (text: string) => writeFileSync(join(dir, 'p.json'), text)],
  ])('of a policy, %s', async (_name, edit) => {
    const watching = await start()
    expect(effect(watching)).toBe('allow')
    const version = watching.current().snapshot.policies.get('p')?.version
    edit(deny)
    await until(() => effect(watching) === 'deny', 'the edit', 1000)
    expect(watching.current().snapshot.policies.get('p')?.version).not.toBe(version)
    expect(swaps.at(-1)).toBe(watching.current())
  })
  test('of the configuration, with a policy that is new', async () => {
    const watching = await start()
    writeFileSync(join(dir, 'q.json'), deny)
    replace('sallyport.yaml', config().replace('p: ./p.json', 'p: ./q.json'))
    await until(() => effect(watching) === 'deny', 'the new policy', 1000)
    replace('q.json', allow)
    await until(() => effect(watching) === 'allow', 'the edit of the new policy', 1000)
  })
  test('of what a symlink points to', async () => {
    for (const [folder, text] of [
      ['one', allow],
      ['two', deny],
    ] as const) {
      mkdirSync(join(dir, folder))
      writeFileSync(join(dir, folder, 'p.json'), text)
    }
    symlinkSync('one', join(dir, 'current'))
    writeFileSync(file, config().replace('./p.json', './current/p.json'))
    const watching = await start()
    symlinkSync('two', join(dir, 'next'))
    renameSync(join(dir, 'next'), join(dir, 'current'))
    await until(() => effect(watching) === 'deny', 'the swapped symlink', 1000)
  })
  test('of the store, by another process', async () => {
    const watching = await start()
    await nouns.put({
      kind: 'server',
      name: 'b',
      document: '{"target":{"kind":"http","url":"http://b"}}',
      at: 0,
    })
    await until(() => watching.current().snapshot.servers.has('b'), 'the stored server', 1000)
  })
  test('also while the file is written again and again', async () => {
    const watching = await start()
    let n = 0
    const writing = setInterval(
      () => writeFileSync(join(dir, 'p.json'), `${deny}${' '.repeat(++n % 7)}`),
      20,
    )
    await until(() => effect(watching) === 'deny', 'the edit', 1500)
    clearInterval(writing)
  })
})

test('what is stored in this process is in force when `changed` resolves', async () => {
  const watching = await start()
  const document = JSON.stringify({
    server: 'a',
    tokenDigest: digestOf('stored-token-0123'),
    tags: {},
  })
  await nouns.put({ kind: 'grant', name: 'bob', document, at: 0 })
  await watching.changed()
  expect(watching.current().snapshot.grants.get(digestOf('stored-token-0123'))?.label).toBe('bob')
  await nouns.remove('grant', 'bob')
  await watching.changed()
  expect(watching.current().snapshot.grants.has(digestOf('stored-token-0123'))).toBe(false)
})

describe('an edit that does not validate', () => {
  test.each([
    ['a policy', 'p.json', '{"version":"1","default":"dney"}'],
    ['a policy that is gone', 'p.json', undefined],
    ['the configuration', 'sallyport.yaml', 'version: 2'],
  ])('%s changes nothing and is reported once', async (_name, name, text) => {
    const watching = await start()
    const before = watching.current()
    if (text === undefined) rmSync(join(dir, name))
    else replace(name, text)
    await until(() => names().includes('config.refused'), 'the report')
    await watching.changed()
    expect(watching.current()).toBe(before)
    expect(effect(watching)).toBe('allow')
    expect(names().filter((n) => n === 'config.refused')).toHaveLength(1)
    expect(events.find((e) => e.event === 'config.refused')).toMatchObject({
      problems: [expect.stringContaining(`${name}:1:`)],
    })
    replace(name, name === 'p.json' ? deny : config('audit: strict'))
    await until(() => watching.current() !== before, 'the mended edit', 1000)
  })
  test('leaves a valid change beside it out, too', async () => {
    const watching = await start()
    replace('p.json', deny)
    replace('sallyport.yaml', 'version: 2')
    await until(() => names().includes('config.refused'), 'the report')
    await watching.changed()
    expect(effect(watching)).toBe('allow')
  })
  test('at the start is an error with every problem', async () => {
    writeFileSync(join(dir, 'p.json'), '{"version":"2","default":"dney"}')
    const result = await watchConfig({
      load: () => loadFiles(file, {}),
      nouns: undefined,
      onSwap: () => undefined,
      log: () => undefined,
    })
    expect(result.ok ? [] : result.problems.map((p) => p.file)).toEqual([
      join(dir, 'p.json'),
      join(dir, 'p.json'),
    ])
  })
})

test('what is read once says that it waits for a restart', async () => {
  await start()
  replace('sallyport.yaml', config('listen: { port: 1 }\naudit: strict'))
  await until(() => names().includes('config.deferred'), 'the note')
  expect(events.find((e) => e.event === 'config.deferred')).toMatchObject({
    keys: ['listen', 'audit'],
  })
})

test('the file wins over the store on equal names, and the clash is reported once', async () => {
  await nouns.put({
    kind: 'server',
    name: 'a',
    document: '{"target":{"kind":"http","url":"http://stored"}}',
    at: 0,
  })
  await nouns.put({ kind: 'policy', name: 'p', document: deny, at: 0 })
  const watching = await start()
  expect(watching.current().snapshot.servers.get('a')?.target).toMatchObject({ url: 'http://h' })
  expect(effect(watching)).toBe('allow')
  replace('p.json', `${allow} `)
  await until(() => swaps.length > 0, 'a swap')
  expect(names().filter((n) => n === 'config.shadowed')).toHaveLength(2)
})

test('a stored thing that can not be read is left out and reported', async () => {
  await nouns.put({
    kind: 'grant',
    name: 'x',
    document: '{"server":"a","tokenDigest":"00"}',
    at: 0,
  })
  await nouns.put({ kind: 'policy', name: 'y', document: '{"version":"9"}', at: 0 })
  const watching = await start()
  expect(watching.current().snapshot.policies.has('y')).toBe(false)
  expect(names()).toEqual(['noun.refused', 'noun.refused'])
})

test('a store that does not answer leaves the last state in force, and says so once', async () => {
  let isDown = false
  const failing: NounStore = {
    list: () => nouns.list(),
    put: (noun) => nouns.put(noun),
    remove: (kind, name) => nouns.remove(kind, name),
    revision: () => {
      if (isDown) throw new Error('the disk is gone')
      return nouns.revision()
    },
  }
  const watching = await start(failing)
  const before = watching.current()
  isDown = true
  await watching.changed()
  await watching.changed()
  expect(watching.current()).toBe(before)
  expect(names().filter((n) => n === 'store.failed')).toHaveLength(1)
  isDown = false
  await watching.changed()
  expect(names().at(-1)).toBe('store.recovered')
})
