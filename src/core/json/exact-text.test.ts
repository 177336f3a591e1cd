import { expect, test } from 'vitest'
import { exactText } from './exact-text.ts'
import { parseNodes, toValue } from './parse.ts'

test.each(['{"a":[9007199254740993,1e400,1],"b":"x"}', '12345678901234567890'])(
  '%s is written as it was read',
  (text) => {
    expect(exactText(toValue(parseNodes(text)))).toBe(text)
  },
)
