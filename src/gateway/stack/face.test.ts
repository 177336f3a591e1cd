import { describe, expect, test } from 'vitest'
import {
  type AnsweringUpstream,
  answeringUpstream,
} from '../../../test/fakes/answering-upstream.ts'
import { openStack, stackGrant } from '../../../test/fakes/stack.ts'
import { failing } from '../../../test/fakes/stack-members.ts'
import type { JsonObject } from '../../core/json/json.ts'
import { MISSING_META } from '../../core/stack/lists.ts'

describe('what a stack says of itself', () => {
  const saying = (capabilities: JsonObject, instructions?: string) =>
    answeringUpstream(() => ({
      result: {
        resultType: 'complete',
        supportedVersions: ['2026-07-28'],
        capabilities,
        ...(instructions === undefined ? {} : { instructions }),
        ttlMs: 1_000,
        cacheScope: 'public',
      },
    }))
  const discover = async (members: Record<string, AnsweringUpstream>) => {
    const { message } = await openStack(members).send('server/discover').over()
    return message.result as JsonObject & { capabilities: JsonObject }
  }

  test('is what one of its members can do, where it reaches one at a time', async () => {
    const tasks = { 'io.modelcontextprotocol/tasks': {} }
    const { capabilities } = await discover({
      a: saying({
        tools: {},
        logging: {},
        extensions: { ...tasks, 'x/all': { v: 1 }, 'x/one': {} },
      }),
      b: saying({ resources: { subscribe: true }, extensions: { 'x/all': { v: 1 } } }),
    })
    expect(capabilities).toEqual({
      tools: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      logging: {},
      extensions: { ...tasks, 'x/all': { v: 1 } },
    })
  })

  test('is not what only some can do with the same settings', async () => {
    const { capabilities } = await discover({
      a: saying({ extensions: { 'x/all': { v: 1 } }, experimental: { e: {} } }),
      b: saying({ extensions: { 'x/all': { v: 2 } } }),
    })
    expect(capabilities).toEqual({ tools: { listChanged: true } })
  })

  test('quotes what its members say, each under its name', async () => {
    const { instructions } = await discover({
      a: saying({}, 'Be kind.'),
      b: saying({}),
      c: failing(),
    })
    expect(instructions).toContain('# a\n\nBe kind.')
    expect(instructions).not.toContain('# b')
  })

  test('holds what a member said before it failed', async () => {
    const a = saying({ prompts: {} }, 'Be kind.')
    const { send } = openStack({ a, b: saying({}) })
    await send('server/discover').over()
    a.respond = failing().respond
    const { message } = await send('server/discover').over()
    expect(message.result).toMatchObject({
      ttlMs: 0,
      capabilities: { prompts: { listChanged: true } },
      _meta: { [MISSING_META]: ['a'] },
    })
  })

  test('is nothing of a member that the grant has no policy for', async () => {
    const [a, b] = [saying({ prompts: {} }, 'Be kind.'), saying({})]
    const { send } = openStack({ a, b })
    const { policy, ...rest } = stackGrant()
    const grant = {
      ...rest,
      policy: undefined,
      stack: { name: 'work', policies: new Map([['b', policy]]) },
    }
    for (const method of ['server/discover', 'tools/list', 'prompts/list'])
      expect((await send(method, {}, grant).over()).text).not.toMatch(
        /"prompts":{|Be kind|: a,|a__/,
      )
    expect(a.got).toEqual([])
    const called = await send('tools/call', { name: 'a__n' }, grant).over()
    expect(JSON.stringify(called.message.result)).toContain('(no policy)')
  })

  test('is said without the members that are not there, and not to be kept', async () => {
    const said = await discover({ a: failing(), b: saying({ prompts: {} }) })
    expect(said).toMatchObject({
      ttlMs: 0,
      capabilities: { tools: {}, prompts: {} },
      _meta: { [MISSING_META]: ['a'] },
    })
  })
})

describe('what is about one thing', () => {
  const echoing = () =>
    answeringUpstream((request) => ({
      result: { resultType: 'complete', content: [], got: JSON.parse(request.frame.text) },
    }))

  test('reaches its server as the client wrote it, without the server’s name', async () => {
    const a = echoing()
    const { send } = openStack({ a, b: echoing() })
    await send('tools/call', { name: 'a__n', arguments: { name: 'a__n', text: 'é 1.0' } }).over()
    const got = a.got.map(({ frame }) => frame.text).filter((text) => text.includes('tools/call'))
    expect(got).toHaveLength(1)
    expect(got[0]).toContain('"params":{"name":"n","arguments":{"name":"a__n","text":"é 1.0"}')
  })

  test('is recorded and judged under its server’s own names', async () => {
    const { send, records } = openStack({ a: echoing(), b: echoing() })
    const { message } = await send('tools/call', { name: 'b__n' }, stackGrant('n')).over()
    expect(message.result).toMatchObject({ isError: true })
    expect(records).toMatchObject([{ server: 'b', tool: 'n', effect: 'deny', rule: '/tools' }])
  })

  test('of a task goes to the server that made it, under the stack’s name of it', async () => {
    const extensions = { 'io.modelcontextprotocol/tasks': {} }
    const _meta = { 'io.modelcontextprotocol/clientCapabilities': { extensions } }
    const a = answeringUpstream(({ frame }) =>
      frame.kind === 'request' && frame.method === 'tools/call'
        ? { result: { resultType: 'task', taskId: 't-1', status: 'working' } }
        : { result: { resultType: 'complete', taskId: 't-1', status: 'working' } },
    )
    const { send } = openStack({ a, b: echoing() })
    const made = await send('tools/call', { name: 'a__n', _meta }).over()
    expect(made.message.result?.taskId).toBe('a__t-1')
    const got = await send('tasks/get', { taskId: 'a__t-1', _meta }).over()
    expect(got.message.result?.taskId).toBe('a__t-1')
    expect((await send('tasks/get', { taskId: 'b__t-1', _meta }).over()).error?.code).toBe(
      'params_invalid',
    )
    expect((await send('tasks/get', { taskId: 't-1', _meta }).over()).error?.code).toBe(
      'params_invalid',
    )
  })

  test('is nobody’s when its server has left the stack', async () => {
    const { send, put } = openStack({ a: echoing(), b: echoing() })
    put({ servers: ['a'] })
    const { message } = await send('tools/call', { name: 'b__n' }).over()
    expect(message.error?.message).toBe('Unknown tool: b__n')
  })

  test('is refused where it does not say what', async () => {
    const { send } = openStack({ a: echoing() })
    expect((await send('tools/call', { name: 7 }).over()).error?.code).toBe('params_invalid')
    expect((await send('completion/complete', { ref: 'x' }).over()).error?.code).toBe(
      'params_invalid',
    )
    expect((await send('x/y').over()).error?.code).toBe('method_unknown')
  })
})
