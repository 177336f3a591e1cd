import { makeRoom } from './bounded.ts'

/** Readings of one list that may be under way at the same time. */
const MAX_READINGS = 64
/** Names of one reading; a server that lists more is hostile or broken. */
const MAX_NAMES = 20_000
/** A longer name is not worth its memory. */
const MAX_NAME = 4_096

/** Where a page belongs. */
export interface PagePlace {
  readonly reading: string
  readonly isFirst: boolean
  readonly isLast: boolean
}

/**
 * Puts the pages of a list together. Several clients may page through one list at the same time:
 * each reading is kept apart, so that none mixes with, or cuts short, another.
 */
export class Pages {
  readonly #readings = new Map<string, Set<string>>()

  /** Takes a page's names in; gives the whole list with the last page of a reading seen from its first. */
  add(
    names: Iterable<string>,
    { reading, isFirst, isLast }: PagePlace,
  ): readonly string[] | undefined {
    if (isFirst) {
      makeRoom(this.#readings, MAX_READINGS)
      this.#readings.set(reading, new Set())
    }
    const seen = this.#readings.get(reading)
    if (seen === undefined) return undefined
    for (const name of names) if (name.length <= MAX_NAME && seen.size < MAX_NAMES) seen.add(name)
    if (!isLast) return undefined
    this.#readings.delete(reading)
    return [...seen]
  }
}
