import { ordering } from './ordering.ts'

/** Less than a number. */
export const lt = ordering((order) => order < 0)
