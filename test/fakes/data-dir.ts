import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A data directory of its own for a test. */
export interface DataDir {
  readonly path: string
  remove(): void
}

/** Makes an empty data directory. */
export function makeDataDir(): DataDir {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
