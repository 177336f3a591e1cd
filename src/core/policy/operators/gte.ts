import { ordering } from './ordering.ts'

/** Greater than or equal to a number. */
export const gte = ordering((order) => order >= 0)
