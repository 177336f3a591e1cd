import { contains } from './contains.ts'
import { endsWith } from './ends-with.ts'
import { eq } from './eq.ts'
import { exists } from './exists.ts'
import { glob } from './glob.ts'
import { gt } from './gt.ts'
import { gte } from './gte.ts'
import { isIn } from './in.ts'
import { lengthGte } from './length-gte.ts'
import { lengthLte } from './length-lte.ts'
import { lt } from './lt.ts'
import { lte } from './lte.ts'
import { neq } from './neq.ts'
import { notIn } from './not-in.ts'
import type { Operator } from './operator.ts'
import { regex } from './regex.ts'
import { startsWith } from './starts-with.ts'
import { type } from './type.ts'

/** Every operator; to add one, add a file and a line. */
export const operators = {
  eq,
  neq,
  lt,
  lte,
  gt,
  gte,
  in: isIn,
  not_in: notIn,
  exists,
  regex,
  contains,
  starts_with: startsWith,
  ends_with: endsWith,
  glob,
  length_lte: lengthLte,
  length_gte: lengthGte,
  type,
} as const satisfies Record<string, Operator>

/** The name of an operator, as `op` states it. */
export type OperatorName = keyof typeof operators

/** True for the name of an operator; inherited names are none. */
export const isOperatorName = (name: string): name is OperatorName => Object.hasOwn(operators, name)
