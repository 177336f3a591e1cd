import { ordering } from './ordering.ts'

/** Greater than a number. */
export const gt = ordering((order) => order > 0)
