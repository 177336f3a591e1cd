import { ordering } from './ordering.ts'

/** Less than or equal to a number. */
export const lte = ordering((order) => order <= 0)
