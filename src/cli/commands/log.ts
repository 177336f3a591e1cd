import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { decisionOf } from '../../core/contract/decision.ts'
import { parseDate } from '../../core/contract/rules.ts'
import type { RecordStore } from '../../core/ports.ts'
import type { DecisionRecord } from '../../core/record/record.ts'
import { type Command, CommandError, type Io, UsageError, type Words } from '../command.ts'
import { dataDirOf } from '../data-dir.ts'
import { decisionLine } from '../decision-line.ts'
import { parseDuration } from '../duration.ts'
import { type Filter, follow } from '../follow.ts'
import { painter } from '../paint.ts'
import { printable } from '../printable.ts'
import { hasColour } from '../stream.ts'

const page = 500
/** How many are shown when no `--since` says how far back. */
const newest = 50

/** `log`. */
export const command: Command = {
  usage:
    '[--follow] [--server NAME] [--tool NAME] [--effect EFFECT] [--since WHEN] [--json] [--data-dir DIR]',
  about:
    'Shows decisions from the data dir, oldest first; a gateway need not be running. Without --since, the newest 50.',
  flags: {
    follow: { type: 'boolean', short: 'f', about: 'go on with decisions as they happen' },
    server: { type: 'string', value: 'NAME', about: 'only of this server' },
    tool: { type: 'string', value: 'NAME', about: 'only of this tool' },
    effect: { type: 'string', value: 'EFFECT', about: 'only allow, deny or approve' },
    since: {
      type: 'string',
      value: 'WHEN',
      about: 'a while back (`1h`, `7d`) or a date (`2027-01-31`)',
    },
    json: { type: 'boolean', about: 'print one JSON object per line' },
    'data-dir': {
      type: 'string',
      value: 'DIR',
      about: 'where the store is (default ~/.sallyport)',
    },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ['log --follow', 'watch what the agents do'],
    ['log --effect deny --since 1h', 'what was denied in the last hour'],
    ['log --json --since 7d | jq -r .tool | sort | uniq -c', 'which tools were called'],
  ],
  run: async (words, io) => {
    const filter = filterOf(words, io)
    const dataDir = dataDirOf(words.text('data-dir'), io)
    if (!existsSync(join(dataDir, 'sallyport.db')))
      throw new CommandError(
        `no decisions at ${dataDir}; name the data dir of the gateway with \`--data-dir\``,
      )
    const { openStores } = await import('../../store/open.ts')
    const stores = await openStores({ dataDir })
    const paint = painter(hasColour(io.stdout, io.env))
    const show = (record: DecisionRecord): void => {
      const iso = (at: number): string => new Date(at).toISOString()
      const line = words.has('json')
        ? printable.json(JSON.stringify(decisionOf(record, iso)))
        : decisionLine(record, paint)
      io.stdout.write(`${line}\n`)
    }
    try {
      const shown = await past(stores.records, filter)
      for (const record of shown) show(record)
      if (words.has('follow')) {
        const end = new AbortController()
        process.once('SIGINT', () => end.abort())
        await follow({ records: stores.records, filter, shown, show, signal: end.signal })
      }
      if (!words.has('follow') && shown.length === 0 && !words.has('json'))
        io.stderr.write('no decisions\n')
    } finally {
      await stores.close()
    }
    return 0
  },
}

function filterOf(words: Words, io: Io): Filter {
  const [server, tool, effect] = [words.text('server'), words.text('tool'), words.text('effect')]
  if (effect !== undefined && !['allow', 'deny', 'approve'].includes(effect))
    throw new UsageError(`\`--effect\` is allow, deny or approve, not \`${effect}\``)
  const when = words.text('since')
  const since = when === undefined ? undefined : sinceOf(when, io.now())
  return {
    ...(server === undefined ? {} : { server }),
    ...(tool === undefined ? {} : { tool }),
    ...(effect === undefined ? {} : { effect }),
    ...(since === undefined ? {} : { since }),
  }
}

function sinceOf(text: string, now: number): number {
  const lengthMs = parseDuration(text)
  const at = lengthMs === undefined ? parseDate(text) : now - lengthMs
  if (at !== undefined) return at
  throw new UsageError('`--since` needs a duration (`1h`, `7d`) or a date (`2027-01-31`)')
}

/** What is on record, oldest first. */
async function past(records: RecordStore, filter: Filter): Promise<readonly DecisionRecord[]> {
  if (filter.since === undefined)
    return (await records.list({ ...filter, limit: newest })).toReversed()
  const all: DecisionRecord[] = []
  for (;;) {
    const before = all.at(-1)?.id
    const older = await records.list({
      ...filter,
      limit: page,
      ...(before === undefined ? {} : { before }),
    })
    all.push(...older)
    if (older.length < page) return all.toReversed()
  }
}
