/** The store can't do its work; one line that says what is wrong and how to mend it. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

/** SQLite's primary result codes that a person can do something about. */
const mends: ReadonlyMap<number, string> = new Map([
  [5, 'is locked by another process; stop what holds it, or wait for it'],
  [8, 'can not be written to; make file and directory writable for this user'],
  [10, 'can not be read or written: the disk or file system failed; check it'],
  [11, 'is corrupt; restore it from a backup, or move it away to start anew'],
  [13, 'can not grow: the disk is full; free some space'],
  [14, 'can not be opened; check that its directory is there and writable for this user'],
  [26, 'is no SQLite database; move it away to start anew, or choose another data directory'],
])

/** Errors of the file system that a person can do something about. */
const fileMends: Readonly<Record<string, string>> = {
  EACCES: 'can not be written to; make it writable for this user',
  EPERM: 'can not be written to; make it writable for this user',
  EROFS: 'is on a read-only file system; choose another data directory',
  ENOSPC: 'can not grow: the disk is full; free some space',
  EDQUOT: 'can not grow: the disk quota is used up; free some space',
  EISDIR: 'is a directory where a file is expected; move it away',
  ENOTDIR: 'has a file in its path where a directory is expected; choose another data directory',
  EEXIST: 'is a file where a directory is expected; choose another data directory',
}

const field = (thrown: unknown, name: 'code' | 'errcode'): unknown =>
  typeof thrown === 'object' && thrown !== null && name in thrown
    ? (thrown as Record<string, unknown>)[name]
    : undefined

/** SQLite's primary result code of a thrown error; undefined when it is none of SQLite's. */
export function sqliteCode(thrown: unknown): number | undefined {
  const code = field(thrown, 'errcode')
  return typeof code === 'number' ? code & 0xff : undefined
}

/** True when another connection held the lock for too long. */
export const isBusy = (thrown: unknown): boolean => {
  const code = sqliteCode(thrown)
  return code === 5 || code === 6
}

/** Any thrown value as a `StoreError` about the file at `path`. */
export function asStoreError(thrown: unknown, path: string): StoreError {
  if (thrown instanceof StoreError) return thrown
  const code = sqliteCode(thrown)
  const sqlMend = code === undefined ? undefined : mends.get(code)
  const fileCode = field(thrown, 'code')
  const mend = sqlMend ?? (typeof fileCode === 'string' ? fileMends[fileCode] : undefined)
  const reason = thrown instanceof Error ? thrown.message.split('\n', 1)[0] : 'unknown reason'
  return new StoreError(`\`${path}\` ${mend ?? `failed: ${reason}`}`, { cause: thrown })
}
