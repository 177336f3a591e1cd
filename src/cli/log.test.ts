import { expect, test } from 'vitest'
import type { LogEvent } from '../core/log.ts'
import { createLog } from './log.ts'
import { printable } from './printable.ts'

const event: LogEvent = { event: 'upstream.said', upstream: 'a', line: 'x' }

function lines(options: { isTty?: boolean; level?: string; hasColour?: boolean } = {}) {
  const written: string[] = []
  const { isTty = false, level, hasColour = false } = options
  const log = createLog(
    { write: (text: string) => written.push(text) },
    { isTty, hasColour, level, now: () => 0 },
  )
  return { log, written }
}

test('an event is one line of JSON with time, level and its fields', () => {
  const { log, written } = lines()
  log('warn', event)
  expect(written).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"warn","event":"upstream.said","upstream":"a","line":"x"}\n',
  ])
})

test.each([
  [undefined, ['error', 'warn', 'info']],
  ['error', ['error']],
  ['debug', ['error', 'warn', 'info', 'debug']],
  ['nonsense', ['error', 'warn', 'info']],
])('the level %s lets %j through', (level, want) => {
  const { log, written } = lines(level === undefined ? {} : { level })
  for (const l of ['error', 'warn', 'info', 'debug'] as const) log(l, event)
  expect(written.map((line) => JSON.parse(line).level)).toEqual(want)
})

const hostile = 'a\nb\r\u001b[31m\u0085\u009b\u2028\u2029\u202e\u2066\u200b\ufeff\u{e0041}\u007fz'

test('what could forge a line or hide text is escaped, and stays the same JSON value', () => {
  const { log, written } = lines()
  log('info', { ...event, line: hostile })
  expect(written[0]?.slice(0, -1)).toMatch(/^[\x20-\x7e]+$/)
  expect(JSON.parse(written[0] ?? '').line).toBe(hostile)
})

test('on a terminal a line is readable, and as safe', () => {
  const { log, written } = lines({ isTty: true })
  log('error', {
    event: 'config.refused',
    problems: ['a.yaml:1:2: one', 'a.yaml:3:4: two\u001b[2J'],
  })
  log('info', { ...event, line: hostile })
  const [first = '', second = ''] = written
  expect(first).toMatch(
    /^[\d:.]{12} error config\.refused\n {4}a\.yaml:1:2: one\n {4}a\.yaml:3:4: two\\u001b\[2J\n$/,
  )
  expect(second.slice(0, -1)).toMatch(/^[\x20-\x7e]+$/)
})

test('colour is used only where it is wanted', () => {
  const { log, written } = lines({ isTty: true, hasColour: true })
  log('error', event)
  expect(written[0]).toContain('\u001b[31merror')
})

test('a stream that fails does not stop the gateway', () => {
  const log = createLog(
    {
      write: () => {
        throw new Error('EPIPE')
      },
    },
    { isTty: false, hasColour: false, level: undefined, now: () => 0 },
  )
  expect(() => log('info', event)).not.toThrow()
})

test('harmless text of any script is shown as it is', () => {
  expect(printable.text('Größe 漢字 naïve')).toBe('Größe 漢字 naïve')
})
