import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asStoreError, StoreError } from './store-error.ts'

const KEY_BYTES = 32

/** The secret key of this data directory; made when there is none. */
export function openKey(dataDir: string): Buffer {
  const path = join(dataDir, 'key')
  try {
    return readKey(path) ?? makeKey(dataDir, path)
  } catch (error) {
    throw asStoreError(error, path)
  }
}

function readKey(path: string): Buffer | undefined {
  let key: Buffer
  try {
    key = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (key.length !== KEY_BYTES)
    throw new StoreError(
      `\`${path}\` holds ${key.length} bytes, not ${KEY_BYTES}; restore it from a backup, or remove it to make a new key (open sessions end)`,
    )
  return key
}

/** Written aside and linked into place: whoever links first made the key, and nobody reads half of it. */
function makeKey(dataDir: string, path: string): Buffer {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const aside = `${path}.${randomBytes(9).toString('base64url')}`
  writeFileSync(aside, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx' })
  try {
    linkSync(aside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(aside)
  }
  const key = readKey(path)
  if (key === undefined)
    throw new StoreError(`\`${path}\` was removed while it was made; try again`)
  return key
}
