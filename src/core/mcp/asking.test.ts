import { describe, expect, test } from 'vitest'
import { type Askable, askableOf, mayAsk, resultProblem } from './asking.ts'

describe('what a client can be asked', () => {
  test.each([
    [{}, []],
    [null, []],
    [{ sampling: {}, roots: { listChanged: true } }, ['sampling', 'roots']],
    [{ sampling: true }, []],
    [{ elicitation: {} }, ['elicitation']],
    [{ elicitation: { form: {} } }, ['elicitation']],
    [{ elicitation: { url: {} } }, ['elicitation by url']],
    [{ elicitation: { form: {}, url: {} } }, ['elicitation', 'elicitation by url']],
    [{ tasks: { list: {} } }, ['tasks']],
  ])('under %j is %j', (capabilities, want) => {
    expect(askableOf(capabilities)).toEqual(want)
  })

  test.each<readonly [readonly Askable[], string, object, boolean]>([
    [[], 'ping', {}, true],
    [[], 'roots/list', {}, false],
    [['roots'], 'roots/list', {}, true],
    [['roots'], 'sampling/createMessage', {}, false],
    [['sampling'], 'Sampling/createMessage', {}, false],
    [['elicitation'], 'elicitation/create', { mode: 'form' }, true],
    [['elicitation'], 'elicitation/create', { mode: 'url', url: 'https://a/' }, false],
    [['elicitation by url'], 'elicitation/create', { mode: 'url', url: 'https://a/' }, true],
    [['elicitation by url'], 'elicitation/create', { mode: 'url', url: 'javascript:a' }, false],
    [['elicitation by url'], 'elicitation/create', { mode: 'url', url: 'file:///etc' }, false],
    [['elicitation by url'], 'elicitation/create', {}, false],
    [['tasks'], 'tasks/list', {}, true],
    [['sampling', 'roots', 'tasks'], 'vendor/ask', {}, false],
  ])('for %j asks %s with %j: %j', (askable, method, params, want) => {
    expect(mayAsk(askable, method, params as never)).toBe(want)
  })
})

describe('a stateless result', () => {
  const sampling = { method: 'sampling/createMessage', params: {} }
  const declared = { sampling: {} }
  const tasks = { extensions: { 'io.modelcontextprotocol/tasks': {} } }

  test.each([
    ['complete', 'tools/list', {}, { resultType: 'complete' }],
    ['without a type', 'tools/call', {}, { content: [] }],
    [
      'asking what was declared',
      'tools/call',
      declared,
      { resultType: 'input_required', inputRequests: { a: sampling } },
    ],
    [
      'asking to come again',
      'resources/read',
      {},
      { resultType: 'input_required', requestState: 's' },
    ],
    ['that is a task of who knows tasks', 'tools/call', tasks, { resultType: 'task', taskId: 't' }],
    [
      'of a task that asks what was declared',
      'tasks/get',
      declared,
      { inputRequests: { a: sampling } },
    ],
  ])('%s passes', (_, method, capabilities, result) => {
    expect(resultProblem(result, { method, capabilities })).toBeUndefined()
  })

  test.each([
    ['asking in a list', 'tools/list', declared, { resultType: 'input_required' }],
    ['asking of a task', 'tasks/get', declared, { resultType: 'input_required' }],
    [
      'asking what was not declared',
      'tools/call',
      {},
      { resultType: 'input_required', inputRequests: { a: sampling } },
    ],
    [
      'asking beside what was declared',
      'prompts/get',
      declared,
      { resultType: 'input_required', inputRequests: { a: sampling, b: { method: 'roots/list' } } },
    ],
    [
      'asking in a complete result',
      'tools/call',
      {},
      { resultType: 'complete', inputRequests: { a: sampling } },
    ],
    [
      'asking with a list',
      'tools/call',
      declared,
      { resultType: 'input_required', inputRequests: [sampling] },
    ],
    ['that is a task of who knows none', 'tools/call', {}, { resultType: 'task' }],
    ['that is a task of another method', 'prompts/get', tasks, { resultType: 'task' }],
    ['of an unknown kind', 'tools/call', {}, { resultType: 'partial' }],
    ['of a kind that is no text', 'tools/call', {}, { resultType: 5 }],
  ])('%s is refused', (_, method, capabilities, result) => {
    expect(resultProblem(result as never, { method, capabilities })).toMatch(/^(it|its) /)
  })
})
