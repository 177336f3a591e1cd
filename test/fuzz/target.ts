/** Something that takes any input, and what must hold of what it makes of it. */
export interface FuzzTarget {
  readonly name: string
  /** Inputs to begin with, besides the corpus. */
  readonly seeds: readonly string[]
  /** Pieces that mean something to the target. */
  readonly words: readonly string[]
  /** Whether a character of an input stands for a byte. */
  readonly isBytes: boolean
  /**
   * Runs one input.
   * @returns what kind of thing happened: an input of a new kind is worth keeping.
   * @throws when something does not hold.
   */
  check(input: string): string
}
