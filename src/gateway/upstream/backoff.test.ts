import { expect, test } from 'vitest'
import { createBackoff } from './backoff.ts'

const open = (random: number) =>
  createBackoff({ minMs: 250, maxMs: 30_000, healthyMs: 60_000, random: () => random })

test('the wait doubles from a quarter of a second to half a minute', () => {
  const backoff = open(1)
  expect(backoff.delayMs()).toBe(0)
  const waits = Array.from({ length: 10 }, () => {
    backoff.ended(0)
    return backoff.delayMs()
  })
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000])
})

test('jitter takes away up to a half', () => {
  const backoff = open(0)
  backoff.ended(0)
  expect(backoff.delayMs()).toBe(125)
})

test('a process that lived long enough starts the count anew', () => {
  const backoff = open(1)
  for (let i = 0; i < 5; i++) backoff.ended(0)
  backoff.ended(60_000)
  expect(backoff.delayMs()).toBe(250)
})
