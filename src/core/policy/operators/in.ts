import type { Json } from '../../json/json.ts'
import { membership } from './membership.ts'
import { BEYOND, operator } from './operator.ts'

/** Equal to one of a list. */
export const isIn = operator('list', (operand) => {
  const has = membership(operand as readonly Json[])
  return (value) => has(value) ?? BEYOND
})
