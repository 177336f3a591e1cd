import type { Problem } from '../problem.ts'
import { createPlaces } from './place.ts'
import type { Finding, Report } from './shape.ts'

/** How many problems are told: a person mends the first ones first. */
const MAX_FINDINGS = 200

/** Collects the findings about one text. */
export interface Findings {
  readonly report: Report
  /** All of one level, in the order of the text. */
  list(level: Finding['level']): readonly Problem[]
}

/** A collection of findings about a text. */
export function createFindings(text: string): Findings {
  const findings: Finding[] = []
  return {
    report: (finding) => {
      if (findings.length < MAX_FINDINGS) findings.push(finding)
    },
    list(level) {
      const placeOf = createPlaces(text)
      return findings
        .filter((finding) => finding.level === level)
        .toSorted((a, b) => a.offset - b.offset)
        .map(({ pointer, offset, message, hint }) => ({
          pointer,
          ...placeOf(offset),
          message,
          ...(hint === undefined ? {} : { hint }),
        }))
    },
  }
}
