import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Revision, Run } from './run-model.ts'

const DIFFER = fileURLToPath(
  new URL('../../../shared/protocol/conformance-diff.mjs', import.meta.url),
)

/** Lies beside the clone where the project's shared material is at hand. */
export const hasSharedDiffer = existsSync(DIFFER)

/** What the shared differ counts, which knows nothing of our own comparison. */
export function sharedCount(
  rev: Revision,
  direct: Run,
  through: Run,
): { readonly kept: number; readonly lost: number; readonly gained: number } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-differ-'))
  try {
    const file = (name: string, run: Run): string => {
      const scenarios = Object.fromEntries(
        Object.entries(run).map(([key, { isScored, checks, errors }]) => [
          key,
          { scored: isScored, checks, errors },
        ]),
      )
      const path = join(folder, name)
      writeFileSync(path, JSON.stringify({ rev, scenarios }))
      return path
    }
    const args = [DIFFER, file('direct.json', direct), file('through.json', through)]
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    const found = /kept (\d+) passing checks, LOST (\d+) .* gained (\d+),/.exec(stdout)
    if (found === null) throw new Error(`the differ says: ${stdout}${stderr}`)
    const [kept, lost, gained] = found.slice(1).map(Number) as [number, number, number]
    return { kept, lost, gained }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
