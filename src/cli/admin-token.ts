import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { wrongToken } from '../core/contract/rules.ts'
import type { Log } from '../core/log.ts'
import { CommandError } from './command.ts'
import { digestOf } from './config/secret.ts'

/** Where the admin token is kept when the configuration names none. */
export const adminTokenFile = (dataDir: string): string => join(dataDir, 'admin-token')

/** An admin token's digest, and the file that was just made for it. */
export interface AdminToken {
  readonly digest: string
  /** The file with the token, when it was made by this call. */
  readonly madeFile: string | undefined
}

/** The admin token of a data dir; made at the first start, readable by its owner only. */
export function ensureAdminToken(dataDir: string): AdminToken {
  const file = adminTokenFile(dataDir)
  const token = `sp_admin_${randomBytes(32).toString('base64url')}`
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    // `wx` makes it or fails: of two processes that start together, one makes it.
    writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx' })
    return { digest: digestOf(token), madeFile: file }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'EEXIST')
      throw new CommandError(
        `the admin token can not be written to ${file} (${code}); make the data dir writable, or set \`admin.token\``,
        { cause: error },
      )
  }
  const kept = readAdminToken(dataDir)
  if (kept === undefined)
    throw new CommandError(`${file} holds no admin token; remove it, and the next start makes one`)
  return { digest: digestOf(kept), madeFile: undefined }
}

/** The digest of the admin token: the configured one, or that of the data dir, made if need be. */
export function adminTokenDigest(from: {
  readonly configured: string | undefined
  readonly dataDir: string
  readonly log: Log
}): string {
  if (from.configured !== undefined) return from.configured
  const { digest, madeFile } = ensureAdminToken(from.dataDir)
  if (madeFile !== undefined) from.log('info', { event: 'admin.created', tokenFile: madeFile })
  return digest
}

/** The admin token that is kept in a data dir; undefined where there is none that is usable. */
export function readAdminToken(dataDir: string): string | undefined {
  try {
    const token = readFileSync(adminTokenFile(dataDir), 'utf8').trim()
    return wrongToken(token) === undefined ? token : undefined
  } catch {
    return undefined
  }
}
