import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { isObject, type JsonObject, member } from '../../core/json/json.ts'
import { judgeTool } from '../../core/risk/judge.ts'
import type { ServerContext } from '../../core/risk/model.ts'
import { recommendServer } from '../../core/risk/recommend.ts'
import { type Command, CommandError, type Io } from '../command.ts'
import { printable } from '../printable.ts'

/** Lines are written in pieces of about this many characters. */
const PIECE = 64 * 1024
const MAX_COMPLAINTS = 20
const PLAIN = /^[\x20-\x7e]*$/

/** `catalogue classify`. */
export const command: Command = {
  usage: 'FILE|-',
  about:
    'Reads one MCP tool definition per line, as `tools/list` gives it, optionally with `"server": {"name", "description"}`, and prints one JSON line for each: its class with the evidence, its findings, and the policy that fits. `-` reads stdin. A line that is no JSON object is skipped, told on stderr, and makes the exit code 1.',
  flags: {},
  positionals: { min: 1, max: 1 },
  examples: [
    ['catalogue classify tools.jsonl', 'a file of tool definitions'],
    ['catalogue classify - < tools.jsonl', 'the same from stdin'],
  ],
  run: async (words, io) => {
    const [named = '-'] = words.positionals
    const input = named === '-' ? io.stdin : createReadStream(resolve(io.cwd, named))
    const out = writerTo(io)
    let at = 0
    let bad = 0
    try {
      for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
        at++
        if (line.trim() === '') continue
        const tool = parse(line)
        if (tool === undefined) {
          if (++bad <= MAX_COMPLAINTS)
            io.stderr.write(`${printable.text(named)}:${at}: not a JSON object\n`)
        } else await out.write(lineOf(tool))
      }
    } catch (error) {
      throw new CommandError(
        `can not read \`${named}\` (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
      )
    }
    await out.flush()
    return bad === 0 ? 0 : 1
  },
}

function parse(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function serverOf(tool: JsonObject): ServerContext | undefined {
  const server = member(tool, 'server')
  const name = isObject(server) ? member(server, 'name') : undefined
  if (!isObject(server) || typeof name !== 'string') return undefined
  const description = member(server, 'description')
  return typeof description === 'string' ? { name, description } : { name }
}

function lineOf(line: JsonObject): string {
  const server = serverOf(line)
  const { server: _, ...definition } = line
  const tool = judgeTool(definition, server)
  const { operations, ...classification } = tool.classification
  const text = JSON.stringify({
    name: tool.name,
    ...classification,
    findings: tool.findings,
    recommended: recommendServer(server?.name ?? 'this server', [tool]),
    ...(operations.length === 0 ? {} : { operations }),
  })
  return `${PLAIN.test(text) ? text : printable.json(text)}\n`
}

/** Writes in large pieces, and waits where the reader is slower. */
function writerTo(io: Io) {
  let held = ''
  const flush = async (): Promise<void> => {
    const text = held
    held = ''
    if (text !== '' && !io.stdout.write(text))
      await new Promise<void>((drained) => io.stdout.once('drain', drained))
  }
  return {
    flush,
    write: async (text: string): Promise<void> => {
      held += text
      if (held.length >= PIECE) await flush()
    },
  }
}
