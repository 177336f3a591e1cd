import type { ProblemDocument } from '../core/contract/problem.ts'
import { readAdminToken } from './admin-token.ts'
import { CommandError, type Flag, type Io, UsageError, type Words } from './command.ts'
import { dataDirOf } from './data-dir.ts'

const defaultUrl = 'http://127.0.0.1:7400'
const timeoutMs = 15_000

/** Flags of every command that talks to a running gateway. */
export const apiFlags = {
  url: { type: 'string', value: 'URL', about: `the gateway (default ${defaultUrl})` },
  'data-dir': {
    type: 'string',
    value: 'DIR',
    about: 'where the admin token is found when SALLYPORT_ADMIN_TOKEN is unset',
  },
} satisfies Record<string, Flag>

/** Asks the admin API. */
export interface Api {
  readonly get: (path: string) => Promise<unknown>
  readonly post: (path: string, body: string) => Promise<unknown>
  readonly put: (path: string, body: string) => Promise<unknown>
  readonly remove: (path: string) => Promise<void>
}

/** The admin API of the gateway that the flags and the environment name. */
export function openApi(words: Words, io: Io): Api {
  const base = URL.parse(words.text('url') ?? defaultUrl)
  if (base === null || !/^https?:$/.test(base.protocol))
    throw new UsageError('`--url` needs a URL, as `http://127.0.0.1:7400`')
  const token =
    io.env.SALLYPORT_ADMIN_TOKEN || readAdminToken(dataDirOf(words.text('data-dir'), io))
  if (token === undefined)
    throw new CommandError(
      'no admin token; set SALLYPORT_ADMIN_TOKEN, or name the data dir of the gateway with `--data-dir`',
    )
  const ask = async (method: string, path: string, body?: string): Promise<unknown> => {
    const url = new URL(`/api/v1/${path}`, base)
    let response: Response
    try {
      response = await fetch(url, {
        method,
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
      })
    } catch (error) {
      throw new CommandError(unreachable(base.origin, error), { cause: error })
    }
    const text = await response.text()
    if (response.status === 204) return undefined
    const answer = parse(text)
    if (response.ok && answer !== undefined) return answer
    if (response.status === 401)
      throw new CommandError(
        `${base.origin} refuses this admin token; set SALLYPORT_ADMIN_TOKEN to the right one`,
      )
    if (isProblem(answer)) throw new CommandError(described(answer))
    throw new CommandError(
      `${base.origin} answers with status ${response.status}: it is no Sallyport gateway, or not of this version`,
    )
  }
  return {
    get: (path) => ask('GET', path),
    post: (path, body) => ask('POST', path, body),
    put: (path, body) => ask('PUT', path, body),
    remove: async (path) => {
      await ask('DELETE', path)
    },
  }
}

function unreachable(origin: string, error: unknown): string {
  const cause =
    error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined
  if (error instanceof Error && error.name === 'TimeoutError')
    return `${origin} does not answer within ${timeoutMs / 1000} s`
  const reason = cause?.code === undefined ? '' : ` (${cause.code})`
  return `no gateway answers at ${origin}${reason}; start it with \`sallyport serve\`, or name another with \`--url\``
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isProblem = (value: unknown): value is ProblemDocument =>
  typeof value === 'object' && value !== null && 'title' in value && 'code' in value

function described(problem: ProblemDocument): string {
  const { title, detail, problems = [] } = problem
  const all = problems.map((p) => {
    const place = p.line === undefined ? p.pointer : `line ${p.line}, column ${p.column}`
    const hint = p.hint === undefined ? '' : ` (${p.hint})`
    return `${place === '' ? '' : `${place}: `}${p.message}${hint}`
  })
  return [title, ...(detail === undefined ? [] : [detail]), ...all].join('; ')
}
