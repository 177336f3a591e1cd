import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../core/errors.ts'
import type { Grant, Snapshot } from '../core/snapshot.ts'
import { identify as identifyOver, isLive } from './identify.ts'

const token = 'sp_grant_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG'
const grant = (more: Partial<Grant> = {}): Grant => ({
  id: 'g1',
  label: 'one',
  server: 'files',
  policy: undefined,
  tags: {},
  notBefore: undefined,
  expiresAt: undefined,
  ...more,
})
const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
const holding = (kept: Grant, credential = token): Snapshot => ({
  servers: new Map(),
  stacks: new Map(),
  policies: new Map(),
  grants: new Map([[digest(credential), kept]]),
})

/** Over a connection of its own. */
const identify = (snapshot: Snapshot, header: string | undefined, at: number): Grant =>
  identifyOver(snapshot, header, at, {})

const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'none'
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    expect(error.message).not.toContain('0123456789abcdef')
    return error.code
  }
}

describe('identify', () => {
  const one = grant()

  test.each([`Bearer ${token}`, `bearer ${token}`, `BEARER ${token}`])('knows %s', (header) => {
    expect(identify(holding(one), header, 0)).toBe(one)
  })

  test.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['no scheme', token],
    ['another scheme', `Basic ${token}`],
    ['two blanks', `Bearer  ${token}`],
    ['a blank behind', `Bearer ${token} `],
    ['two credentials', `Bearer ${token}, Bearer ${token}`],
    ['two tokens', `Bearer ${token} ${token}`],
    ['a tab', `Bearer\t${token}`],
    ['a scheme alone', 'Bearer'],
    ['a scheme and a blank', 'Bearer '],
    ['something in front', ` Bearer ${token}`],
    ['letters beyond ASCII', `Bearer ${token}é`],
    ['very much', `Bearer ${'a'.repeat(100_000)}`],
  ])('%s is no credential', (_, header) => {
    const code = codeOf(() => identify(holding(one), header, 0))
    expect(['grant_missing', 'grant_unknown']).toContain(code)
  })

  test('no other text is the credential', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,60}$/), (other) => {
        fc.pre(other !== token)
        expect(codeOf(() => identify(holding(one), `Bearer ${other}`, 0))).toBe('grant_unknown')
      }),
    )
  })

  test('the digest of a credential is no credential', () => {
    expect(codeOf(() => identify(holding(one), `Bearer ${digest(token)}`, 0))).toBe('grant_unknown')
  })

  test('a grant lives from its first instant to before its last', () => {
    const timed = grant({ notBefore: 100, expiresAt: 200 })
    for (const at of [100, 150, 199])
      expect(identify(holding(timed), `Bearer ${token}`, at)).toBe(timed)
    for (const at of [0, 99, 200, 1e15])
      expect(codeOf(() => identify(holding(timed), `Bearer ${token}`, at))).toBe('grant_expired')
  })

  test('the end of the epoch is an end like any other', () => {
    expect(isLive(grant({ expiresAt: 0 }), 0)).toBe(false)
    expect(isLive(grant({ notBefore: 0 }), 0)).toBe(true)
  })

  test('one connection may speak for several grants, each with its own credential', () => {
    const connection = {}
    const other = grant({ id: 'g2' })
    const both: Snapshot = {
      ...holding(one),
      grants: new Map([
        ...holding(one).grants,
        ...holding(other, 'another-credential-9876').grants,
      ]),
    }
    for (let turn = 0; turn < 2; turn++) {
      expect(identifyOver(both, `Bearer ${token}`, 0, connection)).toBe(one)
      expect(identifyOver(both, 'Bearer another-credential-9876', 0, connection)).toBe(other)
      expect(codeOf(() => identifyOver(both, 'Bearer nobody', 0, connection))).toBe('grant_unknown')
      expect(codeOf(() => identifyOver(both, undefined, 0, connection))).toBe('grant_missing')
    }
  })

  test('a connection that was known is refused as soon as its grant is gone or over', () => {
    const connection = {}
    const timed = grant({ expiresAt: 100 })
    expect(identifyOver(holding(timed), `Bearer ${token}`, 99, connection)).toBe(timed)
    const late = codeOf(() => identifyOver(holding(timed), `Bearer ${token}`, 100, connection))
    expect(late).toBe('grant_expired')
    const gone = { ...holding(one), grants: new Map() }
    expect(codeOf(() => identifyOver(gone, `Bearer ${token}`, 99, connection))).toBe(
      'grant_unknown',
    )
  })
})
