import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AnsweringUpstream, answeringUpstream } from '../../test/fakes/answering-upstream.ts'
import { grantDenying, openGate, serverOf } from '../../test/fakes/gate.ts'
import { GatewayError } from '../core/errors.ts'
import type { JsonObject } from '../core/json/json.ts'
import { LISTED_KINDS } from '../core/mcp/capabilities.ts'
import type { Grant } from '../core/snapshot.ts'
import { Channels } from './channels.ts'
import type { Caller } from './gate.ts'
import { policyMark } from './list-changes.ts'

const lists: Record<string, JsonObject> = {
  'tools/list': { tools: [{ name: 'a' }, { name: 'b' }] },
  'prompts/list': { prompts: [{ name: 'p' }] },
  'resources/list': { resources: [{ uri: 'file:///r' }] },
  'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'file:///{t}' }] },
}
const server = (): AnsweringUpstream =>
  answeringUpstream(({ frame }) => ({
    result: (frame.kind === 'request' && lists[frame.method]) || {},
  }))

let version = 0
/** The grant under an edited policy that hides these tools and items. */
function hiding(...names: readonly string[]): Grant {
  const grant = grantDenying(...names)
  if (grant.policy === undefined) return grant
  const policy = {
    ...grant.policy.policy,
    isItemHidden: (_: unknown, n: string) => names.includes(n),
  }
  return { ...grant, policy: { ...grant.policy, version: `v${version++}`, policy } }
}

function open(upstream = server()) {
  const channels = new Channels()
  const gate = { ...openGate().gate, channels }
  let grant: Grant | undefined = hiding()
  const held = serverOf(upstream)
  const join = (
    kinds = LISTED_KINDS as readonly (typeof LISTED_KINDS)[number][],
    reader = {},
    since?: string,
  ) => {
    const told: string[] = []
    const caller: Caller = {
      grant: grant as Grant,
      server: held,
      era: 'modern',
      protocolVersion: '2026-07-28',
      session: undefined,
      client: { name: '', version: '' },
      headers: [],
      mirrors: undefined,
    }
    const close = channels.open(gate, {
      caller,
      kinds,
      reader,
      since,
      grant: () => grant,
      tell: (kind) => void told.push(kind),
    })
    return { told, close, reader }
  }
  const edit = async (next: Grant | undefined): Promise<void> => {
    grant = next
    await channels.changed(gate)
  }
  return { join, edit, upstream }
}

test('a reader is told of the lists that changed for it, and of no others', async () => {
  const { join, edit } = open()
  const { told } = join()
  await edit(hiding('b'))
  expect(told).toEqual(['tools'])
  await edit(hiding('b', 'p'))
  expect(told).toEqual(['tools', 'prompts'])
  await edit(hiding('b', 'p', 'file:///r', 'file:///{t}'))
  expect(told).toEqual(['tools', 'prompts', 'resources'])
  await edit(hiding('b', 'p', 'file:///r'))
  expect(told).toEqual(['tools', 'prompts', 'resources', 'resources'])
})

test('an edit that changes nothing that a reader sees is not told', async () => {
  const { join, edit, upstream } = open()
  const { told } = join()
  await edit(hiding('never listed'))
  await edit(hiding())
  expect(told).toEqual([])
  expect(upstream.got.length).toBeGreaterThan(0)
})

test('a configuration in which the policy is the same makes nobody look', async () => {
  const { join, edit, upstream } = open()
  join()
  const same = hiding('a')
  await edit(same)
  const looked = upstream.got.length
  await edit({ ...same, policy: same.policy && { ...same.policy } })
  expect(upstream.got).toHaveLength(looked)
})

test('a grant that loses its policy sees nothing any more, and is told', async () => {
  const { join, edit } = open()
  const { told } = join()
  await edit({ ...hiding(), policy: undefined })
  expect(told).toEqual(['tools', 'prompts', 'resources'])
})

test('a grant that is no more is told nothing', async () => {
  const { join, edit, upstream } = open()
  const { told } = join()
  await edit(undefined)
  expect(told).toEqual([])
  expect(upstream.got).toEqual([])
})

test('a reader is told only of what it asked for, and nothing once it has closed', async () => {
  const { join, edit } = open()
  const some = join(['prompts'])
  const closed = join()
  closed.close()
  await edit(hiding('a', 'p'))
  expect(some.told).toEqual(['prompts'])
  expect(closed.told).toEqual([])
})

test('of several channels of one reader the newest that is open is used', async () => {
  const { join, edit } = open()
  const first = join()
  const second = join(LISTED_KINDS, first.reader)
  await edit(hiding('a'))
  expect([first.told, second.told]).toEqual([[], ['tools']])
  second.close()
  await edit(hiding())
  expect([first.told, second.told]).toEqual([['tools'], ['tools']])
})

test('what changed while a reader had no channel is told on its next one', async () => {
  const { join, edit } = open()
  const first = join()
  first.close()
  await edit(hiding('a'))
  const second = join(LISTED_KINDS, first.reader)
  await expect.poll(() => second.told).toEqual(['tools'])
})

test('a reader that knew another policy before a restart is told of all that there is', async () => {
  const { join, edit } = open(
    answeringUpstream(({ frame }) =>
      frame.kind === 'request' && frame.method === 'prompts/list'
        ? { error: { code: -32601, message: 'no' } }
        : { result: (frame.kind === 'request' && lists[frame.method]) || {} },
    ),
  )
  const now = hiding('a')
  await edit(now)
  const same = join(LISTED_KINDS, {}, policyMark(now.policy))
  const other = join(LISTED_KINDS, {}, policyMark(hiding().policy))
  await expect.poll(() => other.told).toEqual(['tools', 'resources'])
  expect(same.told).toEqual([])
})

test('one look at the server’s lists serves all of its readers', async () => {
  const { join, edit, upstream } = open()
  const readers = Array.from({ length: 20 }, () => join())
  await edit(hiding('a'))
  for (const { told } of readers) expect(told).toEqual(['tools'])
  expect(upstream.got).toHaveLength(4)
})

test('when nobody can say what a reader sees, it is told', async () => {
  const upstream = answeringUpstream(() => new GatewayError('upstream_unreachable'))
  const { join, edit } = open(upstream)
  const { told } = join(['tools'])
  await edit(hiding('never listed'))
  expect(told).toEqual(['tools'])
})

test('a list that the server does not have never changes', async () => {
  const upstream = answeringUpstream(() => ({ error: { code: -32601, message: 'no' } }))
  const { join, edit } = open(upstream)
  const { told } = join()
  await edit(hiding('a'))
  expect(told).toEqual([])
})

test('whatever is edited, a reader is told of exactly those lists that are others for it', async () => {
  const kinds: Record<string, string> = {
    a: 'tools',
    b: 'tools',
    p: 'prompts',
    'file:///r': 'resources',
    'file:///{t}': 'resources',
    'never listed': 'none',
  }
  const anyHidden = fc.subarray(Object.keys(kinds))
  await fc.assert(
    fc.asyncProperty(fc.array(anyHidden, { maxLength: 5 }), async (edits) => {
      const { join, edit } = open()
      const { told } = join()
      let before: readonly string[] = []
      for (const hidden of edits) {
        told.length = 0
        await edit(hiding(...hidden))
        const differ = Object.keys(kinds).filter((n) => before.includes(n) !== hidden.includes(n))
        const changed = new Set(differ.map((name) => kinds[name]).filter((k) => k !== 'none'))
        expect([...told].sort()).toEqual([...changed].sort())
        before = hidden
      }
    }),
  )
})
