import { parseArgs } from 'node:util'
import { GatewayError } from '../core/errors.ts'
import {
  type Command,
  CommandError,
  type Flag,
  type Io,
  UsageError,
  type Words,
} from './command.ts'
import { commands, type Listed } from './commands/index.ts'
import { commandHelp, commonFlags, groupHelp, overview } from './help.ts'
import { didYouMean } from './nearest.ts'
import { painter } from './paint.ts'
import { printable } from './printable.ts'
import { hasColour } from './stream.ts'
import { packageVersion } from './version.ts'

const table: Readonly<Record<string, Listed>> = commands

/** Runs one command line; resolves with the exit code. Every error is one line on stderr. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io)
  } catch (error) {
    const isUsage = error instanceof UsageError
    io.stderr.write(`sallyport: ${printable.text(lineOf(error))}\n`)
    if (io.env.SALLYPORT_DEBUG === '1' && !isUsage && error instanceof Error)
      io.stderr.write(`${error.stack ?? ''}\n`)
    return isUsage ? 2 : 1
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const paint = painter(hasColour(io.stdout, io.env))
  const [first, second] = argv
  if (first === undefined) {
    io.stderr.write(overview(painter(hasColour(io.stderr, io.env))))
    return 2
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    const named = first === 'help' ? argv.slice(1) : []
    if (named.length > 0) return await dispatch([...named, '--help'], io)
    io.stdout.write(overview(paint))
    return 0
  }
  if (first === '--version' || first === '-V') {
    io.stdout.write(`sallyport ${packageVersion()}\n`)
    return 0
  }
  if (first.startsWith('-'))
    throw new UsageError(`unknown flag \`${first}\`; \`sallyport --help\` lists the commands`)
  const names = Object.keys(table)
  const name = [`${first} ${second}`, first].find((n) => Object.hasOwn(table, n))
  if (name !== undefined) return await runCommand(name, argv.slice(name.split(' ').length), io)
  const members = names.filter((n) => n.startsWith(`${first} `)).map((n) => n.split(' ')[1] ?? '')
  if (members.length === 0) {
    const groups = names.map((n) => n.split(' ')[0] ?? '')
    throw new UsageError(
      `unknown command \`${first}\`; ${didYouMean(first, groups) ?? '`sallyport --help` lists them'}`,
    )
  }
  if (second === '--help' || second === '-h') {
    io.stdout.write(groupHelp(first, paint))
    return 0
  }
  if (second === undefined) throw new UsageError(`\`${first}\` needs one of: ${members.join(', ')}`)
  throw new UsageError(
    `unknown command \`${first} ${second}\`; ${didYouMean(second, members) ?? `known: ${members.join(', ')}`}`,
  )
}

async function runCommand(name: string, argv: readonly string[], io: Io): Promise<number> {
  const { command } = (await table[name]?.load()) ?? {}
  if (command === undefined) throw new Error(`no command ${name}`)
  const end = argv.indexOf('--')
  const own = end < 0 ? argv : argv.slice(0, end)
  if (own.includes('--help') || own.includes('-h')) {
    io.stdout.write(commandHelp(name, command, painter(hasColour(io.stdout, io.env))))
    return 0
  }
  return await command.run(parseWords(name, command, argv), io)
}

/** Parses a command's words; every mistake is a {@link UsageError} that names the mend. */
export function parseWords(name: string, command: Command, argv: readonly string[]): Words {
  const flags: Readonly<Record<string, Flag>> = { ...command.flags, ...commonFlags }
  const end = command.takesRest === true ? argv.indexOf('--') : -1
  const own = end < 0 ? argv : argv.slice(0, end)
  const help = `\`sallyport ${name} --help\` shows how`
  const known = Object.keys(flags)
  const options = Object.fromEntries(
    Object.entries(flags).map(([flag, f]) => [
      flag,
      {
        type: f.type,
        multiple: f.multiple === true,
        ...(f.short === undefined ? {} : { short: f.short }),
      },
    ]),
  )
  const { tokens, positionals } = parseArgs({
    args: [...own],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const values = new Map<string, string[]>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined
    if (flag === undefined) {
      const hint = didYouMean(token.name, known)?.replace('`', '`--') ?? help
      throw new UsageError(`unknown flag \`${token.rawName}\` of \`${name}\`; ${hint}`)
    }
    if (flag.type === 'string' && token.value === undefined)
      throw new UsageError(`\`--${token.name}\` needs a value; ${help}`)
    if (flag.type === 'boolean' && token.value !== undefined)
      throw new UsageError(`\`--${token.name}\` takes no value`)
    // `--policy --json`: the parser would take the next flag for the value.
    if (token.inlineValue === false && token.value?.startsWith('--') === true)
      throw new UsageError(
        `\`--${token.name}\` needs a value; write \`--${token.name}=${token.value}\` if it begins with a dash`,
      )
    const list = values.get(token.name) ?? []
    if (list.length > 0 && flag.multiple !== true)
      throw new UsageError(`\`--${token.name}\` stands there twice`)
    values.set(token.name, [...list, token.value ?? 'true'])
  }
  const { min, max } = command.positionals
  if (positionals.length < min) throw new UsageError(`\`${name}\` needs ${command.usage}; ${help}`)
  if (positionals.length > max)
    throw new UsageError(`\`${name}\` does not take \`${positionals[max]}\`; ${help}`)
  return {
    positionals,
    text: (flag) => values.get(flag)?.[0],
    texts: (flag) => values.get(flag) ?? [],
    has: (flag) => values.has(flag),
    rest: end < 0 ? [] : argv.slice(end + 1),
  }
}

/** One line that says what is wrong. */
function lineOf(error: unknown): string {
  if (error instanceof UsageError || error instanceof CommandError) return error.message
  if (error instanceof GatewayError) return `${error.message} (${error.code})`
  // The store's errors name their mend.
  if (error instanceof Error && error.name === 'StoreError') return error.message
  const message = error instanceof Error ? error.message.split('\n')[0] : 'unknown error'
  return `unexpected: ${message}; SALLYPORT_DEBUG=1 shows where`
}
