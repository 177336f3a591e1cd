import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rememberAsked, type SealedSession, Sessions } from './sessions.ts'

const secret = new Uint8Array(32).fill(7)
const session: SealedSession = {
  server: 'files',
  grantId: 'grant-1',
  upstream: 'upstream-session',
  protocolVersion: '2025-11-25',
  client: { name: 'test', version: '1' },
  askable: ['sampling'],
}
const fresh = (): Sessions => new Sessions(secret)

const anySession: fc.Arbitrary<SealedSession> = fc.record({
  server: fc.string(),
  grantId: fc.string(),
  upstream: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
  protocolVersion: fc.constantFrom('2024-11-05', '2025-11-25'),
  client: fc.record({ name: fc.string({ unit: 'grapheme' }), version: fc.string() }),
  policy: fc.option(fc.string(), { nil: undefined }),
  askable: fc.subarray(['sampling', 'roots', 'elicitation', 'elicitation by url', 'tasks']),
})

describe('a sealed session', () => {
  test('opens as what was sealed, in any process that has the key', () => {
    fc.assert(
      fc.property(anySession, (sealed) => {
        expect(fresh().open(fresh().seal(sealed))).toMatchObject(sealed)
      }),
    )
  })

  test('is visible ASCII, and tells nothing of what is in it', () => {
    const id = fresh().seal(session)
    expect(id).toMatch(/^[\x21-\x7e]+$/)
    const inside = Buffer.from(id.slice(4), 'base64url').toString('latin1')
    for (const part of ['files', 'grant-1', 'upstream-session', 'test'])
      expect(inside).not.toContain(part)
  })

  test('has an id of its own every time, within and without', () => {
    const sessions = fresh()
    const [one, other] = [sessions.seal(session), sessions.seal(session)]
    expect(one).not.toBe(other)
    expect(sessions.open(one)?.id).not.toBe(sessions.open(other)?.id)
  })

  test('opens with room for a long id of the upstream', () => {
    const long = { ...session, upstream: 'u'.repeat(8000) }
    expect(fresh().open(fresh().seal(long))?.upstream).toBe(long.upstream)
  })

  test('names the grant and the server that it belongs to, whoever presents it', () => {
    const opened = fresh().open(fresh().seal(session))
    expect(opened?.grantId).toBe('grant-1')
    expect(opened?.server).toBe('files')
  })
})

describe('what was not sealed here does not open', () => {
  test('an id under another key', () => {
    const foreign = new Sessions(new Uint8Array(32).fill(8)).seal(session)
    expect(fresh().open(foreign)).toBeUndefined()
  })

  test('an id with any character changed', () => {
    const id = fresh().seal(session)
    fc.assert(
      fc.property(fc.nat(id.length - 1), fc.constantFrom(...'Aa0-_z.'), (at, c) => {
        fc.pre(id[at] !== c)
        expect(fresh().open(id.slice(0, at) + c + id.slice(at + 1))).toBeUndefined()
      }),
    )
  })

  test('an id cut anywhere', () => {
    const id = fresh().seal(session)
    for (let length = 0; length < id.length; length++)
      expect(fresh().open(id.slice(0, length))).toBeUndefined()
  })

  test('an id with something added, or spelled otherwise', () => {
    const id = fresh().seal(session)
    for (const other of [`${id}=`, `${id}A`, `${id}!`, ` ${id}`, `${id}\n`, id.replace('.', '.!')])
      expect(fresh().open(other)).toBeUndefined()
    const last = id.at(-1) ?? ''
    for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      if (c !== last) expect(fresh().open(id.slice(0, -1) + c)).toBeUndefined()
  })

  test('a part of one id with the rest of another', () => {
    const sessions = fresh()
    const one = sessions.seal(session)
    const other = sessions.seal({ ...session, grantId: 'grant-2' })
    expect(sessions.open(one.slice(0, 40) + other.slice(40))).toBeUndefined()
  })

  test('any text at all', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        expect(fresh().open(text)).toBeUndefined()
        expect(fresh().open(`sp1.${text}`)).toBeUndefined()
      }),
    )
    expect(fresh().open(`sp1.${'A'.repeat(1_000_000)}`)).toBeUndefined()
  })
})

describe('a live session', () => {
  test('is the same object for every request of this process', () => {
    const sessions = fresh()
    const id = sessions.seal(session)
    expect(sessions.open(id)).toBe(sessions.open(id))
  })

  test('that has ended is not opened again, though its id is still a sealed one', () => {
    const sessions = fresh()
    const [id, other] = [sessions.seal(session), sessions.seal(session)]
    sessions.end(id)
    expect(sessions.open(id)).toBeUndefined()
    expect(sessions.open(other)).toBeDefined()
    const foreign = fresh().seal(session)
    sessions.end(foreign)
    expect(sessions.open(foreign)).toBeUndefined()
  })

  test('has so many streams at once and no more', () => {
    const sessions = fresh()
    const id = sessions.seal(session)
    const open = Array.from({ length: 16 }, () => sessions.hold(id))
    expect(sessions.hold(id)).toBeUndefined()
    open[0]?.()
    expect(sessions.hold(id)).toBeDefined()
  })

  test('that nobody uses is ended, once, and one that is used or listens is not', () => {
    const sessions = fresh()
    const [idle, used, listens] = [1, 2, 3].map(() => sessions.seal(session)) as [
      string,
      string,
      string,
    ]
    const opened = sessions.open(idle)
    const letGo = sessions.hold(listens)
    const ended: unknown[] = []
    for (let look = 0; look < 20; look++) {
      sessions.open(used)
      ended.push(...sessions.endIdle())
    }
    expect(ended).toEqual([opened])
    expect(sessions.open(idle)).toBeUndefined()
    expect(sessions.open(listens)).toBeDefined()
    letGo?.()
    for (let look = 0; look < 8; look++) {
      sessions.open(used)
      expect(sessions.endIdle()).toEqual([])
    }
    expect(sessions.endIdle()).toHaveLength(1)
    expect(sessions.open(listens)).toBeUndefined()
    expect(sessions.open(used)).toBeDefined()
  })

  test('remembers what its server asked, up to a bound, the newest first', () => {
    const live = fresh().open(fresh().seal(session))
    if (live === undefined) throw new Error('the session did not open')
    for (let id = 0; id < 5000; id++) rememberAsked(live, id)
    expect(live.asked.size).toBe(1000)
    expect(live.asked.has(4999)).toBe(true)
    expect(live.asked.has(0)).toBe(false)
  })

  test('the oldest of very many is forgotten, and opens again', () => {
    const sessions = fresh()
    const ids = Array.from({ length: 10_001 }, () => sessions.seal(session))
    const [first] = ids.map((id) => sessions.open(id))
    const again = sessions.open(ids[0] ?? '')
    expect(again).toMatchObject(session)
    expect(again).not.toBe(first)
  })
})
