import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Io } from './command.ts'

/** The folder for the store, keys and tokens: the flag, `SALLYPORT_DATA_DIR`, or `~/.sallyport`. */
export function dataDirOf(flag: string | undefined, io: Pick<Io, 'env' | 'cwd'>): string {
  const named = flag ?? io.env.SALLYPORT_DATA_DIR
  if (named !== undefined && named !== '') return resolve(io.cwd, named)
  return join(io.env.HOME || homedir(), '.sallyport')
}
