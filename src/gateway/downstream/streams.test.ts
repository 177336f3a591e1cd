import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Streams } from './streams.ts'

const TICK = 25_000

/** A response whose reader reads, or does not, as it is told. */
class FakeResponse extends EventEmitter {
  writableNeedDrain = false
  writableEnded = false
  isDestroyed = false
  readonly written: string[] = []
  readonly socket = { bytesWritten: 0 }

  write(text: string): boolean {
    this.written.push(text)
    return true
  }
  end(): void {
    this.writableEnded = true
    if (!this.writableNeedDrain) this.emit('close')
  }
  destroy(): void {
    this.isDestroyed = true
    this.emit('close')
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function open() {
  const streams = new Streams(() => true)
  const response = new FakeResponse()
  let isLive = true
  const finish = vi.fn()
  streams.add(response as unknown as ServerResponse, { isLive: () => isLive, finish })
  return {
    response,
    finish,
    revoke: () => {
      isLive = false
    },
  }
}

test('a quiet stream carries a comment now and then', () => {
  const { response } = open()
  vi.advanceTimersByTime(3 * TICK)
  expect(response.written).toEqual(Array(3).fill(': keep-alive\n\n'))
})

test('a reader that takes nothing for five minutes is let go, and was sent nothing more', () => {
  const { response } = open()
  response.writableNeedDrain = true
  vi.advanceTimersByTime(12 * TICK)
  expect(response.isDestroyed).toBe(false)
  vi.advanceTimersByTime(TICK)
  expect(response.isDestroyed).toBe(true)
  expect(response.written).toEqual([])
})

test('a reader that is only slow keeps its stream', () => {
  const { response } = open()
  response.writableNeedDrain = true
  for (let i = 0; i < 100; i++) {
    if (i % 10 === 0) response.socket.bytesWritten++
    vi.advanceTimersByTime(TICK)
  }
  expect(response.isDestroyed).toBe(false)
})

test('a stream whose credential is revoked is finished once and ended', () => {
  const { response, finish, revoke } = open()
  revoke()
  vi.advanceTimersByTime(5_000)
  expect(finish).toHaveBeenCalledTimes(1)
  expect(response.writableEnded).toBe(true)
})

test('a stream that was ended but is not read to its end is let go too', () => {
  const { response, finish, revoke } = open()
  response.writableNeedDrain = true
  revoke()
  vi.advanceTimersByTime(14 * TICK)
  expect(finish).toHaveBeenCalledTimes(1)
  expect(response.isDestroyed).toBe(true)
})
