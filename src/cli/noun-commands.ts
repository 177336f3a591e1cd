import { apiFlags, openApi } from './api.ts'
import { columns, listing } from './columns.ts'
import type { Command, Flag } from './command.ts'
import { painter } from './paint.ts'
import { hasColour } from './stream.ts'

/** What the commands of one noun differ in. */
export interface NounCommands<View> {
  /** `server`, and its part of the API's path. */
  readonly noun: string
  readonly path: string
  readonly key: string
  readonly heading: readonly string[]
  readonly row: (view: View) => readonly string[]
  readonly fields: (view: View) => readonly (readonly [string, string])[]
  /** Said when the list is empty. */
  readonly none: string
  /** What removing one means. */
  readonly removal: string
  readonly removed: (key: string) => string
  readonly exampleKey: string
}

/** The flag of every command that prints data. */
export const jsonFlag = {
  json: { type: 'boolean', about: 'print JSON' },
} satisfies Record<string, Flag>

/** `list`, `show` and `rm` of one noun. */
export function nounCommands<View>(n: NounCommands<View>): {
  list: Command
  show: Command
  rm: Command
} {
  const list: Command = {
    usage: '[--json] [--url URL]',
    about: `Lists every ${n.noun} that the gateway knows, from the file and from the admin API.`,
    flags: { ...jsonFlag, ...apiFlags },
    positionals: { min: 0, max: 0 },
    examples: [[`${n.noun} list`, 'of the gateway on this machine']],
    run: async (words, io) => {
      const { items } = (await openApi(words, io).get(n.path)) as { items: View[] }
      if (words.has('json')) io.stdout.write(`${JSON.stringify(items, null, 2)}\n`)
      else if (items.length === 0) io.stderr.write(`${n.none}\n`)
      else
        io.stdout.write(columns(n.heading, items.map(n.row), painter(hasColour(io.stdout, io.env))))
      return 0
    },
  }
  const show: Command = {
    usage: `${n.key} [--json] [--url URL]`,
    about: `Shows one ${n.noun}. Secrets are never shown.`,
    flags: { ...jsonFlag, ...apiFlags },
    positionals: { min: 1, max: 1 },
    examples: [[`${n.noun} show ${n.exampleKey}`, `what ${n.exampleKey} is`]],
    run: async (words, io) => {
      const view = (await openApi(words, io).get(`${n.path}/${keyOf(words.positionals)}`)) as View
      io.stdout.write(
        words.has('json')
          ? `${JSON.stringify(view, null, 2)}\n`
          : listing(n.fields(view), painter(hasColour(io.stdout, io.env))),
      )
      return 0
    },
  }
  const rm: Command = {
    usage: `${n.key} [--url URL]`,
    about: n.removal,
    flags: apiFlags,
    positionals: { min: 1, max: 1 },
    examples: [[`${n.noun} rm ${n.exampleKey}`, `remove ${n.exampleKey}`]],
    run: async (words, io) => {
      await openApi(words, io).remove(`${n.path}/${keyOf(words.positionals)}`)
      io.stderr.write(`${n.removed(words.positionals[0] ?? '')}\n`)
      return 0
    },
  }
  return { list, show, rm }
}

const keyOf = (positionals: readonly string[]): string => encodeURIComponent(positionals[0] ?? '')
