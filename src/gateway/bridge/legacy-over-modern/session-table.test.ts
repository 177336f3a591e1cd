import { expect, test } from 'vitest'
import { GatewayError } from '../../../core/errors.ts'
import { SessionTable } from './session-table.ts'

const session = (key: string, grantId = 'a', isIdle = true) => ({
  key,
  grantId,
  isIdle,
  closed: undefined as string | undefined,
  close(error: GatewayError) {
    this.closed = error.code
  },
})

const table = () => new SessionTable<ReturnType<typeof session>>({ maxSessions: 3, maxOfGrant: 2 })

test('the idle session that was used the longest ago makes room', () => {
  const sessions = table()
  const [one, two, three] = [session('1', 'a'), session('2', 'b'), session('3', 'c')]
  for (const each of [one, two, three]) sessions.add(each)
  expect(sessions.find('1')).toBe(one)
  sessions.add(session('4', 'd'))
  expect(two.closed).toBe('session_unknown')
  expect(sessions.find('2')).toBeUndefined()
  expect(sessions.find('1')).toBe(one)
})

test('one grant makes room of its own, and never of others', () => {
  const sessions = table()
  const other = session('o', 'b')
  sessions.add(other)
  const mine = ['1', '2'].map((key) => session(key))
  for (const each of mine) sessions.add(each)
  sessions.add(session('3'))
  expect(mine.map(({ closed }) => closed)).toEqual(['session_unknown', undefined])
  expect(other.closed).toBeUndefined()
})

test('where nothing is idle, nothing more is taken', () => {
  const sessions = table()
  for (const key of ['1', '2']) sessions.add(session(key, 'a', false))
  sessions.add(session('o', 'b'))
  expect(() => sessions.add(session('3'))).toThrow('too many sessions')
})

test('a session that has ended is unknown, and its place is free', () => {
  const sessions = table()
  const ended = session('1')
  sessions.add(ended)
  sessions.end(ended, new GatewayError('session_unknown'))
  expect(ended.closed).toBe('session_unknown')
  expect(() => sessions.find('1')).toThrow('no such session')
  sessions.add(session('2', 'a', false))
  sessions.add(session('3', 'a', false))
  expect(() => sessions.add(session('4'))).toThrow('too many sessions')
})

test('the end of all ends each', () => {
  const sessions = table()
  const all = [session('1'), session('2', 'b', false)]
  for (const each of all) sessions.add(each)
  sessions.close(new GatewayError('upstream_unreachable'))
  expect(all.map(({ closed }) => closed)).toEqual(['upstream_unreachable', 'upstream_unreachable'])
  expect(sessions.find('1')).toBeUndefined()
})
