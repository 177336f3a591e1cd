import { expect, test } from 'vitest'
import { createStderrLines } from './stderr-lines.ts'

const open = () => {
  const said: string[] = []
  const clock = { at: 0, now: () => clock.at }
  const lines = createStderrLines(clock, (line) => said.push(line))
  return { said, clock, lines, push: (text: string) => lines.push(Buffer.from(text)) }
}

test('lines are told whole, without what a terminal would act on', () => {
  const { said, push, lines } = open()
  push('one\r\ntw')
  push('o \u001b[31mred\u0007\u202e\n\nthree')
  lines.end()
  expect(said).toEqual(['one', 'two \\u{1b}[31mred\\u{7}\\u{202e}', 'three'])
})

test('a character cut in two comes out whole', () => {
  const { said, lines } = open()
  const bytes = Buffer.from('é\n')
  lines.push(bytes.subarray(0, 1))
  lines.push(bytes.subarray(1))
  expect(said).toEqual(['é'])
})

test('a long line is cut, however it arrives', () => {
  const { said, push } = open()
  for (let i = 0; i < 100; i++) push('x'.repeat(1_000))
  push('\nnext\n')
  expect(said).toEqual([`${'x'.repeat(2_000)}…`, 'next'])
})

test('more lines in a second than anybody reads are counted, not told', () => {
  const { said, push, clock } = open()
  push('line\n'.repeat(1_000))
  expect(said.length).toBe(50)
  clock.at = 1_000
  push('later\n')
  expect(said.slice(50)).toEqual(['(950 more lines were dropped)', 'later'])
})
