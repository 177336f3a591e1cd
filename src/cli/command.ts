import type { ParseArgsOptionDescriptor } from 'node:util'

/** The world around a command: streams, environment, folder, time. */
export interface Io {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly now: () => number
}

/** One flag: its shape for the parser, and what help says of it. */
export interface Flag {
  readonly type: ParseArgsOptionDescriptor['type']
  readonly multiple?: true
  readonly short?: string
  /** What stands for the value in help, as `FILE`. */
  readonly value?: string
  readonly about: string
}

/** The parsed words of a command line. */
export interface Words {
  readonly positionals: readonly string[]
  /** The single value of a flag. */
  readonly text: (flag: string) => string | undefined
  readonly texts: (flag: string) => readonly string[]
  readonly has: (flag: string) => boolean
  /** What stands after `--`. */
  readonly rest: readonly string[]
}

/** A command of the program. */
export interface Command {
  /** What follows the name, as `FILE… [--json]`. */
  readonly usage: string
  /** A few sentences under the usage line. */
  readonly about: string
  readonly flags: Readonly<Record<string, Flag>>
  /** How many positional words it takes. */
  readonly positionals: { readonly min: number; readonly max: number }
  /** Command lines, without the program's name, with what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[]
  /** True when everything after `--` is the command's own. */
  readonly takesRest?: true
  /** Resolves with the exit code. */
  readonly run: (words: Words, io: Io) => Promise<number>
}

/** Wrong usage: one line, exit code 2. */
export class UsageError extends Error {}

/** What was asked for can not be done: one line that names the mend, exit code 1. */
export class CommandError extends Error {}
