import { expect, test } from 'vitest'
import { EventLog, eventLogBounds } from './event-log.ts'

const open = (bounds: Partial<typeof eventLogBounds> = {}) => {
  const clock = { at: 0, now: () => clock.at }
  return { clock, log: new EventLog(clock, { ...eventLogBounds, ...bounds }) }
}

test('what came behind an event is given again, in order', () => {
  const { log } = open()
  const stream = log.open('s')
  const first = stream.add('one').id
  stream.add('')
  stream.add('two')
  stream.add('three')
  const found = log.find('s', first)
  expect(found?.stream.after(found.number).map(({ data }) => data)).toEqual(['two', 'three'])
})

test('only its owner finds a stream, and only by an id that was given', () => {
  const { log } = open()
  const { id } = log.open('s').add('one')
  expect(log.find('s', id)).toBeDefined()
  expect(log.find('t', id)).toBeUndefined()
  for (const other of ['', 'x', `${id}x`, '__proto__', `${id.slice(0, 11)}.0`])
    expect(log.find('s', other)).toBeUndefined()
})

test('a stream keeps its newest events, within its bounds', () => {
  const { log } = open({ maxStreamEvents: 3, maxStreamBytes: 20 })
  const stream = log.open('s')
  for (const data of ['a', 'b', 'c', 'd']) stream.add(data)
  expect(stream.after(-1).map(({ data }) => data)).toEqual(['b', 'c', 'd'])
  stream.add('123456789')
  expect(stream.after(-1).map(({ data }) => data)).toEqual(['d', '123456789'])
  stream.add('too long for all of it')
  expect(stream.after(-1)).toEqual([])
})

test('all streams together stay within their bound; what has ended goes first', () => {
  const { log } = open({ maxBytes: 60 })
  const running = log.open('s')
  const runningId = running.add('0123456789').id
  const ended = log.open('s')
  const endedId = ended.add('0123456789').id
  ended.end()
  log.open('s').add('0123456789')
  expect(log.find('s', endedId)).toBeDefined()
  log.open('s').add('0123456789')
  expect(log.find('s', endedId)).toBeUndefined()
  expect(log.find('s', runningId)).toBeDefined()
})

test('who keeps much loses its own streams first', () => {
  const { log } = open({ maxBytes: 60 })
  const other = log.open('other')
  const otherId = other.add('0123456789').id
  other.end()
  const ids = [1, 2, 3].map(() => {
    const stream = log.open('s')
    const { id } = stream.add('0123456789')
    stream.end()
    return id
  })
  expect(log.find('other', otherId)).toBeDefined()
  expect(ids.map((id) => log.find('s', id) !== undefined)).toEqual([false, true, true])
})

test('the oldest stream makes room for a new one', () => {
  const { log } = open({ maxStreams: 2 })
  const ids = ['a', 'b', 'c'].map((data) => log.open('s').add(data).id)
  expect(ids.map((id) => log.find('s', id) !== undefined)).toEqual([false, true, true])
})

test('a stream that has ended is forgotten after a while, one that runs is not', () => {
  const { log, clock } = open({ keepMs: 1_000 })
  const ended = log.open('s')
  const endedId = ended.add('a').id
  ended.end()
  const runningId = log.open('s').add('b').id
  clock.at = 1_000
  expect(log.find('s', endedId)).toBeUndefined()
  expect(log.find('s', runningId)).toBeDefined()
})

test('an owner who leaves takes everything along', () => {
  const { log } = open()
  const { id } = log.open('s').add('a')
  const other = log.open('t').add('b').id
  log.leave('s')
  expect(log.find('s', id)).toBeUndefined()
  expect(log.find('t', other)).toBeDefined()
})
