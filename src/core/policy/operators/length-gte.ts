import { length } from './length.ts'

/** At least so long. */
export const lengthGte = length((order) => order >= 0)
