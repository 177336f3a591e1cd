/** Why a predicate can not be judged: the path and what is wrong there; never a value. */
export class Unjudged {
  readonly path: string
  readonly why: string
  constructor(path: string, why: string) {
    this.path = path
    this.why = why
  }
  /** One line for people. */
  get message(): string {
    return `${this.path} can not be judged: ${this.why}`
  }
}

/** What a condition is: true, false, or indeterminate. */
export type Truth = boolean | Unjudged

/** Kleene's `not`: what can't be judged stays so. */
export const negate = (truth: Truth): Truth => (typeof truth === 'boolean' ? !truth : truth)

/** Kleene's `and` over what `judge` makes of each item; true of no items. */
export function every<T>(items: readonly T[], judge: (item: T) => Truth): Truth {
  let truth: Truth = true
  for (const item of items) {
    const next = judge(item)
    if (next === false) return false
    if (truth === true) truth = next
  }
  return truth
}

/** Kleene's `or` over what `judge` makes of each item; false of no items. */
export function some<T>(items: readonly T[], judge: (item: T) => Truth): Truth {
  let truth: Truth = false
  for (const item of items) {
    const next = judge(item)
    if (next === true) return true
    if (truth === false) truth = next
  }
  return truth
}
