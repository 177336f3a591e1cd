import type { Category } from '../../src/core/policy/model.ts'
import { precedence } from '../../src/core/risk/model.ts'
import type { Judged } from './rows.ts'

/** What must not be taken for harmless. */
export const dangerous: readonly Category[] = ['Execute', 'Destructive', 'Financial']

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

/** How good the classifier is on a set of judged rows. */
export interface Measured {
  readonly rows: number
  readonly strict: number
  readonly lenient: number
  readonly macroF1: number
  /** Share of what executes, destroys or pays that was called Read. */
  readonly dangerousAsRead: number
  readonly byCategory: readonly {
    readonly category: Category
    readonly rows: number
    readonly precision: number
    readonly recall: number
    readonly f1: number
  }[]
}

/** Accuracy, F1 and the worst error, over any set of judged rows. */
export function measure(judged: readonly Judged[]): Measured {
  const count = (holds: (j: Judged) => boolean): number => judged.filter(holds).length
  const byCategory = precedence.map((category) => {
    const both = count(({ row, got }) => row.category === category && got === category)
    const rows = count(({ row }) => row.category === category)
    const got = count((j) => j.got === category)
    return {
      category,
      rows,
      precision: share(both, got),
      recall: share(both, rows),
      f1: share(2 * both, rows + got),
    }
  })
  // A category that a set has no row of, and that was never answered, says nothing of it.
  const present = byCategory.filter(({ rows, f1 }) => rows > 0 || f1 > 0)
  const risky = judged.filter(({ row }) => dangerous.includes(row.category))
  return {
    rows: judged.length,
    strict: share(
      count(({ row, got }) => row.category === got),
      judged.length,
    ),
    lenient: share(
      count(({ row, got }) => row.category === got || row.alt.includes(got)),
      judged.length,
    ),
    macroF1: share(
      present.reduce((sum, { f1 }) => sum + f1, 0),
      present.length,
    ),
    dangerousAsRead: share(risky.filter(({ got }) => got === 'Read').length, risky.length),
    byCategory,
  }
}

/** Rows by truth and answer. */
export const confusion = (judged: readonly Judged[]) =>
  precedence.map((truth) =>
    precedence.map(
      (answer) => judged.filter(({ row, got }) => row.category === truth && got === answer).length,
    ),
  )

/** A share of the server families each: a rule made for one server can't carry a fold. */
export function foldsByFamily(
  judged: readonly Judged[],
  folds: number,
): readonly (readonly Judged[])[] {
  const families = [...new Set(judged.map(({ row }) => row.family))].toSorted()
  const foldOf = new Map(families.map((family, at) => [family, at % folds]))
  return Array.from({ length: folds }, (_, fold) =>
    judged.filter(({ row }) => foldOf.get(row.family) === fold),
  )
}

/** The mean over families, each counting once, however many tools it has. */
export function byFamily(judged: readonly Judged[]): {
  families: number
  strict: number
  lenient: number
} {
  const names = [...new Set(judged.map(({ row }) => row.family))]
  const families = names.map((name) => measure(judged.filter(({ row }) => row.family === name)))
  const mean = (of: (m: Measured) => number): number =>
    share(
      families.reduce((sum, m) => sum + of(m), 0),
      families.length,
    )
  return {
    families: families.length,
    strict: mean((m) => m.strict),
    lenient: mean((m) => m.lenient),
  }
}

/** Share of the tools that their own server calls more than reading, and that were called Read. */
export function falseReads(judged: readonly Judged[]): { rows: number; share: number } {
  const writing = judged.filter(({ row }) => {
    const label = row.labels?.annotation
    return label !== undefined && label !== 'Read'
  })
  return {
    rows: writing.length,
    share: share(writing.filter(({ got }) => got === 'Read').length, writing.length),
  }
}

/** How often the answer is right, by how sure it was. */
export function calibration(judged: readonly Judged[]) {
  const edges = [0, 0.5, 0.7, 0.85, 1.01]
  return edges.slice(0, -1).map((from, at) => {
    const to = edges[at + 1] ?? 1.01
    const within = judged.filter((j) => j.confidence >= from && j.confidence < to)
    return {
      from,
      to: Math.min(to, 1),
      rows: within.length,
      strict: share(within.filter(({ row, got }) => row.category === got).length, within.length),
    }
  })
}
