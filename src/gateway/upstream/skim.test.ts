import fc from 'fast-check'
import { expect, test } from 'vitest'
import { restoreAnswer, rewriteRequest, SUBSCRIPTION_ID } from './rewriting.ts'
import { skimArray, skimObject, skimPath, splice } from './skim.ts'

test('every member of an object is found at its place', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (object, isSpaced) => {
      const text = JSON.stringify(object, null, isSpaced ? 2 : 0)
      const found = [...skimObject(text)].map(([key, { start, end }]) => [
        key,
        JSON.parse(text.slice(start, end)),
      ])
      expect(found).toEqual(Object.entries(JSON.parse(text)))
    }),
  )
})

test('every item of an array is found at its place', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (array) => {
      const text = JSON.stringify(array, null, 1)
      const found = skimArray(text).map(({ start, end }) => JSON.parse(text.slice(start, end)))
      expect(found).toEqual(JSON.parse(text))
    }),
  )
})

test('of a repeated key the last value is told, as JSON.parse has it', () => {
  const text = '{"a":1,"a":[2]}'
  const span = skimPath(text, 'a')
  expect(text.slice(span?.start, span?.end)).toBe('[2]')
})

test('splicing leaves everything else as it was written', () => {
  const text = '{ "a" : 1.0, "b":"\\u0041", "c": 1e2 }'
  const b = skimPath(text, 'b')
  expect(splice(text, b === undefined ? [] : [{ ...b, text: '9' }])).toBe(
    '{ "a" : 1.0, "b":9, "c": 1e2 }',
  )
})

test('a request goes out with another id and token, and its answer comes back with its own', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer(), fc.string()),
      fc.oneof(fc.integer(), fc.string()),
      fc.jsonValue(),
      (id, progressToken, value) => {
        const request = { jsonrpc: '2.0', id, params: { value, _meta: { progressToken, id } } }
        const sent = rewriteRequest(JSON.stringify(request), 42)
        expect(JSON.parse(sent.text)).toEqual({
          ...JSON.parse(JSON.stringify(request)),
          id: 42,
          params: { value: JSON.parse(JSON.stringify(value)), _meta: { progressToken: 42, id } },
        })
        expect(sent.tokenText).toBe(JSON.stringify(progressToken))
        const answer = { id: 42, result: { value, _meta: { [SUBSCRIPTION_ID]: 42, id: 42 } } }
        expect(JSON.parse(restoreAnswer(JSON.stringify(answer), sent.idText))).toEqual({
          id,
          result: {
            value: JSON.parse(JSON.stringify(value)),
            _meta: { [SUBSCRIPTION_ID]: id, id: 42 },
          },
        })
      },
    ),
  )
})
