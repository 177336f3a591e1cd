import { expect, test } from 'vitest'
import { acknowledgeAlso, advertiseChanges } from './capabilities.ts'

const answer = (capabilities: string): string =>
  `{"jsonrpc":"2.0","id":1,"result":{"capabilities":${capabilities},"big":12345678901234567890}}`

test('a server’s lists are all said to tell of their changes, and nothing else is touched', () => {
  const offered = advertiseChanges(
    answer(
      '{"tools":{},"prompts":{ "listChanged" : false },"resources":{"subscribe":true},"x":{}}',
    ),
  )
  expect(offered?.text).toBe(
    answer(
      '{"tools":{"listChanged":true},"prompts":{ "listChanged" : true },"resources":{"subscribe":true,"listChanged":true},"x":{}}',
    ),
  )
  expect([...(offered?.kinds ?? [])]).toEqual(['tools', 'prompts', 'resources'])
})

test('what a server does not list is not added', () => {
  const offered = advertiseChanges(answer('{"logging":{},"tools":null}'))
  expect(offered?.text).toBe(answer('{"logging":{},"tools":null}'))
  expect(offered?.kinds.size).toBe(0)
})

test('an answer without capabilities is no offer', () => {
  for (const text of ['{"error":{}}', '{', '[]', '{"result":{"capabilities":1}}'])
    expect(advertiseChanges(text)).toBeUndefined()
})

test('an acknowledgement gets what the gateway tells beside what the server agreed to', () => {
  const acknowledged = (params: string): string =>
    acknowledgeAlso(`{"method":"m","params":${params}}`, ['tools', 'prompts'])
  expect(acknowledged('{"notifications":{"resourcesListChanged":true}}')).toBe(
    '{"method":"m","params":{"notifications":{"resourcesListChanged":true,"toolsListChanged":true,"promptsListChanged":true}}}',
  )
  expect(acknowledged('{"notifications":{"toolsListChanged":false}}')).toBe(
    '{"method":"m","params":{"notifications":{"toolsListChanged":true,"promptsListChanged":true}}}',
  )
  for (const odd of ['{}', '{"notifications":[]}'])
    expect(acknowledged(odd)).toBe(
      '{"method":"m","params":{"notifications":{"toolsListChanged":true,"promptsListChanged":true}}}',
    )
  expect(acknowledgeAlso('{"method":"m"}', ['tools'])).toBe('{"method":"m"}')
})
