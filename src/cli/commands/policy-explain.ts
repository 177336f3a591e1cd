import { resolve } from 'node:path'
import { parseDate } from '../../core/contract/rules.ts'
import { isObject, type JsonObject } from '../../core/json/json.ts'
import { JsonSyntaxError, parseNodes, toValue } from '../../core/json/parse.ts'
import {
  type AccessRequest,
  explain,
  formatExplanation,
  loadPolicy,
} from '../../core/policy/index.ts'
import { classify } from '../../core/risk/classify.ts'
import { type Command, CommandError, type Io, UsageError, type Words } from '../command.ts'
import { readConfigText } from '../config.ts'
import { policyFormat, problemLine } from '../load.ts'
import { jsonFlag } from '../noun-commands.ts'
import { printable } from '../printable.ts'
import { hasColour } from '../stream.ts'
import { tagPair } from './grant.ts'

/** `policy explain`. */
export const command: Command = {
  usage: '--policy FILE --tool NAME [--args JSON] [--grant-tag K=V]… [--at TIME] [--json]',
  about:
    'Says what a policy decides for one call: every rule that was looked at, what held, and why. Exits 0 when the call is allowed, else 1.',
  flags: {
    policy: { type: 'string', value: 'FILE', about: 'the policy' },
    tool: { type: 'string', value: 'NAME', about: 'the tool that is called' },
    args: { type: 'string', value: 'JSON', about: 'the arguments of the call (default {})' },
    server: { type: 'string', value: 'NAME', about: 'the server, for rules on server.name' },
    'grant-label': { type: 'string', value: 'LABEL', about: 'for rules on grant.label' },
    'grant-tag': { type: 'string', multiple: true, value: 'K=V', about: 'for rules on grant.tags' },
    at: { type: 'string', value: 'TIME', about: 'when it is called, ISO 8601 (default now)' },
    ...jsonFlag,
  },
  positionals: { min: 0, max: 0 },
  examples: [
    [
      `policy explain --policy refunds.json --tool refund --args '{"amount": 900}'`,
      'would this refund pass?',
    ],
  ],
  run: async (words, io) => {
    const named = words.text('policy')
    if (named === undefined) throw new UsageError('`policy explain` needs `--policy FILE`')
    const request = requestOf(words, io)
    const text = readConfigText(resolve(io.cwd, named))
    if (typeof text !== 'string') throw new CommandError(problemLine({ ...text, file: named }))
    const loaded = loadPolicy(text, { format: policyFormat(named) })
    if (!loaded.ok) {
      for (const p of loaded.problems)
        io.stderr.write(`${printable.text(problemLine({ ...p, file: named }))}\n`)
      return 1
    }
    const explanation = explain(loaded.policy, request)
    if (words.has('json')) io.stdout.write(`${JSON.stringify(explanation, writable, 2)}\n`)
    else io.stdout.write(formatExplanation(explanation, { color: hasColour(io.stdout, io.env) }))
    return explanation.decision.effect === 'allow' ? 0 : 1
  },
}

/** Amounts are big integers, which JSON has no form for. */
const writable = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value

function requestOf(words: Words, io: Io): AccessRequest {
  const name = words.text('tool')
  if (name === undefined) throw new UsageError('`policy explain` needs `--tool NAME`')
  const at = words.text('at')
  const instant = at === undefined ? io.now() : parseDate(at)
  if (instant === undefined)
    throw new UsageError(
      '`--at` needs a date (`2027-01-31`) or a time with its zone (`2027-01-31T09:00:00Z`)',
    )
  const { category, severity } = classify({ name })
  return {
    subject: {
      grant: {
        id: 'explain',
        label: words.text('grant-label') ?? 'explain',
        tags: Object.fromEntries(words.texts('grant-tag').map(tagPair)),
      },
      session: undefined,
      client: { name: 'sallyport', version: '' },
    },
    tool: {
      server: words.text('server') ?? 'server',
      name,
      isAdvertised: true,
      category,
      severity,
      annotations: {},
      properties: {},
    },
    args: argsOf(words.text('args') ?? '{}'),
    context: { at: instant, counters: new Map() },
  }
}

function argsOf(text: string): JsonObject {
  try {
    const value = toValue(parseNodes(text))
    if (isObject(value)) return value
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw new UsageError(`\`--args\` is not JSON: ${error.message} at offset ${error.offset}`)
  }
  throw new UsageError('`--args` needs a JSON object, as `{"amount": 900}`')
}
