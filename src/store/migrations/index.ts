import { first } from './0001-first.ts'
import { recordBatches } from './0002-record-batches.ts'

/** Every migration, in order; a database's version is how many of them it has had. */
export const migrations: readonly string[] = [first, recordBatches]
