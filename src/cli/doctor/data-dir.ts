import { randomBytes } from 'node:crypto'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Finding, finder } from './finding.ts'

const keyBytes = 32

/** Can the data dir be written, and are its secrets its owner's alone? */
export function checkDataDir(dataDir: string): readonly Finding[] {
  const { ok, warn, fail } = finder('data dir')
  const stats = statOf(dataDir)
  if (stats === undefined) return [ok(`${dataDir} is not there yet; the first start makes it`)]
  if (!stats.isDirectory())
    return [fail(`${dataDir} is not a folder`, 'move it away, or name another with --data-dir')]
  const probe = join(dataDir, `.probe-${randomBytes(6).toString('hex')}`)
  try {
    writeFileSync(probe, '', { flag: 'wx', mode: 0o600 })
    rmSync(probe)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return [fail(`${dataDir} can not be written (${code})`, 'make it writable for this user')]
  }
  const isOpen = (stats.mode & 0o022) !== 0
  const dir = isOpen
    ? warn(`${dataDir} can be written by others`, `chmod 700 ${dataDir}`)
    : ok(`${dataDir} can be written`)
  return [dir, ...checkKey(dataDir), ...checkAdminToken(dataDir)]
}

function checkKey(dataDir: string): readonly Finding[] {
  const { ok, warn, fail } = finder('key file')
  const file = join(dataDir, 'key')
  const stats = statOf(file)
  if (stats === undefined) return [ok('not there yet; the first start makes it')]
  if (!stats.isFile() || stats.size !== keyBytes)
    return [
      fail(
        `${file} holds ${stats.size} bytes, not ${keyBytes}`,
        'restore it from a backup, or remove it: the next start makes a new one, and open sessions end',
      ),
    ]
  if ((stats.mode & 0o077) !== 0)
    return [warn(`${file} can be read by others`, `chmod 600 ${file}`)]
  return [ok(`${keyBytes} bytes, readable by its owner only`)]
}

function checkAdminToken(dataDir: string): readonly Finding[] {
  const { ok, warn } = finder('admin token')
  const file = join(dataDir, 'admin-token')
  const stats = statOf(file)
  if (stats === undefined) return []
  if ((stats.mode & 0o077) !== 0)
    return [warn(`${file} can be read by others`, `chmod 600 ${file}`)]
  return [ok(`in ${file}, readable by its owner only`)]
}

const statOf = (file: string) => statSync(file, { throwIfNoEntry: false })
