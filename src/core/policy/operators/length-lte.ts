import { length } from './length.ts'

/** At most so long. */
export const lengthLte = length((order) => order <= 0)
