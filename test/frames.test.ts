import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { parseFrame } from '../src/core/mcp/frame.ts'
import { readBody } from '../src/gateway/downstream/http-body.ts'

/** What a body is to the gate: `ok`, or the code of its refusal. */
interface FrameCase {
  readonly name: string
  readonly text?: string
  readonly base64?: string
  readonly want: string
}

const folder = new URL('cases/frames/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))

/** Reads a body in two pieces, cut at `at`, and judges it as the listener does. */
const judge = (bytes: Buffer, at: number): Promise<string> => {
  const body = Readable.from(
    [bytes.subarray(0, at), bytes.subarray(at)].filter((b) => b.length > 0),
  )
  const request = Object.assign(body, { headers: {} }) as unknown as IncomingMessage
  return new Promise((resolve) => {
    readBody(request, (body) => {
      if (!body.ok) return resolve(body.error.code)
      // The text goes on as these bytes: they must be the same.
      expect(Buffer.from(body.text)).toEqual(bytes)
      const result = parseFrame(body.text)
      resolve(result.ok ? 'ok' : result.code)
    })
  })
}

test('the corpus of frames is there', () => {
  expect(files.length).toBeGreaterThanOrEqual(5)
})

describe.each(files)('%s', (file) => {
  const cases = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly FrameCase[]

  test('every name is used once', () => {
    expect(new Set(cases.map((c) => c.name)).size).toBe(cases.length)
  })

  test.each(cases)('$name: $want', async ({ text, base64, want }) => {
    expect((text === undefined) !== (base64 === undefined)).toBe(true)
    const bytes = text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text)
    // Where the bytes are cut on their way must not matter.
    for (const at of [bytes.length, 1, Math.floor(bytes.length / 2)])
      expect(await judge(bytes, at)).toBe(want)
  })
})
