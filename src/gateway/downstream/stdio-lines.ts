import type { Writable } from 'node:stream'
import { isObject, type JsonObject, member } from '../../core/json/json.ts'
import { parseJson } from '../../core/mcp/parse-json.ts'
import type { MessageWriter } from './message-writer.ts'

/** Writes every message as one line, to the one stream that carries nothing else. */
export interface LineWriter extends MessageWriter {
  /** Resolves when everything written has been taken, or the reader has had its time. */
  flush(): Promise<void>
}

/** A message as it may stand on one line; undefined for a text that is no JSON-RPC message. */
export function lineOf(text: string): { line: string; message: JsonObject } | undefined {
  let message: unknown
  try {
    message = parseJson(text)
  } catch {
    return undefined
  }
  if (!isObject(message) || member(message, 'jsonrpc') !== '2.0') return undefined
  // In valid JSON a bare line end is white space between tokens.
  const line = /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, ' ') : text
  return { line, message }
}

/** How long a reader may take for the last lines. */
const FLUSH_MS = 1_000

/** The only way to stdout: whole lines, each of which the caller has made with `lineOf`. */
export function createLineWriter(output: Writable): LineWriter {
  let waiting: (() => void)[] = []
  let isBroken = false
  const wake = (): void => {
    const resumes = waiting
    waiting = []
    for (const resume of resumes) resume()
  }
  output.on('drain', wake)
  // A reader that has gone needs no answers.
  output.on('error', () => {
    isBroken = true
    wake()
  })
  return {
    write: (text) => isBroken || output.write(`${text}\n`),
    isFull: () => !isBroken && output.writableNeedDrain,
    onDrain(resume) {
      if (isBroken || !output.writableNeedDrain) queueMicrotask(resume)
      else waiting.push(resume)
    },
    flush: () =>
      new Promise((resolve) => {
        if (isBroken || output.writableEnded) return resolve()
        const timer = setTimeout(resolve, FLUSH_MS)
        output.write('', () => {
          clearTimeout(timer)
          resolve()
        })
      }),
  }
}
