import { operator } from './operator.ts'

/** The call itself has something at the path (null is something), or has nothing there. */
export const exists = operator('boolean', (operand) => () => operand === true, {
  whenAbsent: (operand) => operand === false,
  asksPresence: true,
})
