import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fold, foldingPair } from './fold.ts'

const letters = fc.string({ unit: 'binary', maxLength: 12 })

describe('fold', () => {
  test('takes every character for its upper case, lower case and compatibility forms', () => {
    const wrong: string[] = []
    for (let code = 0; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const c = String.fromCodePoint(code)
      const folded = fold(c)
      const forms = [c.toUpperCase(), c.toLowerCase(), c.normalize('NFKC'), c.normalize('NFD')]
      if (forms.some((form) => fold(form) !== folded)) wrong.push(code.toString(16))
    }
    expect(wrong).toEqual([])
  })

  test('folding twice is folding once', () => {
    fc.assert(
      fc.property(letters, (text) => {
        expect(fold(fold(text))).toBe(fold(text))
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['amount', 'Amount'],
    ['amount', 'AMOUNT'],
    ['amount', 'am\u200bount'],
    ['amount', '\ufeffamount'],
    ['amount', 'amount\u0000'],
    ['amount', 'ａｍｏｕｎｔ'],
    ['amount', 'am\u00adount'],
    ['amount', 'amount\u{e0061}'],
    ['task', 'ta\u017fk'],
    ['task', 'tas\u212a'],
    ['straße', 'STRASSE'],
    ['STRAẞE', 'strasse'],
    ['fi', 'ﬁ'],
    ['café', 'cafe\u0301'],
    ['Ωhm', '\u2126HM'],
  ])('%j and %j are one key to some parser', (a, b) => {
    expect(foldingPair([a, 'other', b])).toEqual([a, b])
  })

  test.each([
    ['amount', 'amounts'],
    ['a_b', 'ab'],
    ['a.b', 'a_b'],
    ['cafe', 'café'],
    ['1', 'l'],
    ['пay', 'pay'],
  ])('%j and %j are two keys', (a, b) => {
    expect(foldingPair([a, b])).toBeUndefined()
  })

  test('a pair is found wherever the two stand', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.nat(),
        (keys, which, where) => {
          const key = keys[which % keys.length] as string
          const twin = key.toUpperCase()
          expect(foldingPair(keys)).toBeUndefined()
          const at = where % (keys.length + 1)
          const pair = foldingPair([...keys.slice(0, at), twin, ...keys.slice(at)])
          expect(pair?.toSorted()).toEqual([key, twin].toSorted())
        },
      ),
    )
  })
})
