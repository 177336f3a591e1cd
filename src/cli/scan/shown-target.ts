import { basename } from 'node:path'
import { packageOf } from '../../core/risk/findings/reach.ts'
import type { ServerTarget } from '../../core/snapshot.ts'

/** A part of a path that nobody would type: it may be a key. */
const OPAQUE = /^(?=.*\d)[\w.~-]{20,}$|^[0-9a-f-]{16,}$/i
const MAX_SHOWN = 120

/**
 * How a server is reached, as it may be shown: the program and its package, or the address. Other
 * arguments, variables, headers, query and user part are left out: any of them may be a secret.
 */
export function shownTarget(target: ServerTarget): string {
  if (target.kind === 'http') {
    const url = URL.parse(target.url)
    if (url === null) return 'a URL that can not be read'
    const path = url.pathname
      .split('/')
      .map((part) => (OPAQUE.test(part) ? '…' : part))
      .join('/')
    return `${url.protocol}//${url.host}${path}`.slice(0, MAX_SHOWN)
  }
  const named = packageOf({ kind: 'process', command: target.command, args: target.args })
  const script = target.args.find((arg) => /\.(?:[cm]?[jt]s|py)$/.test(arg))
  const what = named ?? (script === undefined ? undefined : basename(script))
  const shown = what === undefined || OPAQUE.test(what) ? '' : ` ${what}`
  return `${basename(target.command)}${shown}`.slice(0, MAX_SHOWN)
}
