/** Why a check goes another way through the gateway. */
export interface Explanation {
  /** The subjects that it holds for, by the pattern of their ids. */
  readonly of: RegExp
  /** The differences that it explains, by the pattern of their lines. */
  readonly line: RegExp
  readonly why: string
  /** Depends on timing: the difference may also be missing. */
  readonly isUnsteady?: true
}

/** Every difference has one of these; the first that fits counts. */
export const EXPLANATIONS: readonly Explanation[] = []

/** The explanation of a difference. */
export const explanationOf = (id: string, line: string): Explanation | undefined =>
  EXPLANATIONS.find((one) => one.of.test(id) && one.line.test(line))
