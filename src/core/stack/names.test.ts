import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wrongServerName } from '../contract/rules.ts'
import { joinName, joinUri, splitName, splitUri, wrongMember } from './names.ts'

const members = fc
  .stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/)
  .filter((name) => wrongServerName(name) === undefined && wrongMember(name) === undefined)
const names = fc.oneof(fc.string(), fc.stringMatching(/^[_a-z+:/.-]{0,12}$/))
const uris = fc.oneof(
  fc.webUrl(),
  fc.string(),
  fc.stringMatching(/^(ui|file|git\+ssh|demo):\/\/[_a-z+:/.{}-]{0,12}$/),
)

describe('names in a stack', () => {
  test('every name gives back its member and its own name', () => {
    fc.assert(
      fc.property(members, names, (member, name) => {
        expect(splitName(joinName(member, name))).toEqual({ member, name })
      }),
    )
  })

  test('every URI gives back its member and itself', () => {
    fc.assert(
      fc.property(members, uris, (member, uri) => {
        expect(splitUri(joinUri(member, uri))).toEqual({ member, name: uri })
      }),
    )
  })

  test('two members never share a name or a URI', () => {
    fc.assert(
      fc.property(members, names, members, names, (a, x, b, y) => {
        fc.pre(a !== b || x !== y)
        expect(joinName(a, x)).not.toBe(joinName(b, y))
        expect(joinUri(a, x)).not.toBe(joinUri(b, y))
      }),
    )
  })

  test('a URI of a stack has a scheme that parsers take', () => {
    fc.assert(
      fc.property(members, (member) => {
        expect(URL.canParse(joinUri(member, 'file:///a'))).toBe(true)
      }),
    )
    expect(joinUri('imaging', 'demo://x/1')).toBe('imaging+demo://x/1')
    expect(joinUri('my_server', 'file:///a')).toBe('my.server+file:///a')
    expect(joinUri('1password', 'op://a')).toBe('x..1password+op://a')
  })

  test('the view of an app stays one', () => {
    expect(joinUri('maps', 'ui://view/index.html')).toBe('ui://maps__view/index.html')
    expect(splitUri('ui://maps__view/index.html')).toEqual({
      member: 'maps',
      name: 'ui://view/index.html',
    })
    expect(splitUri('maps+ui://view')).toBeUndefined()
  })

  test('what names no member is nobody’s', () => {
    for (const name of ['echo', '__echo', '_', '']) expect(splitName(name)).toBeUndefined()
    for (const uri of ['file:///a', 'ui://view', '+file:///a', 'x..a+b', 'a_b+c', ''])
      expect(splitUri(uri), uri).toBeUndefined()
  })

  test('a member whose name would make another one possible is refused', () => {
    expect(wrongMember('a_')).toContain('two ways')
    expect(wrongMember('a__b')).toContain('two ways')
    expect(wrongMember('a_b-c')).toBeUndefined()
  })
})
