/** Something wrong in a document that a person wrote: where, what, and how to mend it. */
export interface Problem {
  /** RFC 6901 pointer to the value that is wrong; empty for the whole document. */
  readonly pointer: string
  /** 1-based place in the source text. */
  readonly line: number
  readonly column: number
  /** What was expected and what was found; lower case, one line, no full stop. */
  readonly message: string
  /** What to do, where we know it, as ``did you mean `deny_if`?`` */
  readonly hint?: string
}
