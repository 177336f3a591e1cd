import { z } from 'zod'

/** Every error of the admin API: HTTP status and title. `docs/errors.md` explains each. */
export const apiErrors = {
  token_missing: { status: 401, title: 'no admin token was presented' },
  token_wrong: { status: 401, title: 'the admin token is not the right one' },
  path_unknown: { status: 404, title: 'there is no such resource in this API' },
  noun_unknown: { status: 404, title: 'nothing of this name or id is here' },
  verb_unknown: { status: 405, title: 'this resource does not take this HTTP method' },
  name_taken: { status: 409, title: 'this name is taken' },
  file_owned: { status: 409, title: 'this is defined in the configuration file' },
  commands_refused: { status: 403, title: 'servers that run a command are not taken over the API' },
  private_refused: { status: 403, title: 'servers in private networks are not taken over the API' },
  body_too_large: { status: 413, title: 'the body is larger than 1 MiB' },
  body_not_json: { status: 415, title: 'the body must be application/json' },
  body_invalid: { status: 400, title: 'the body can not be read as JSON' },
  query_invalid: { status: 400, title: 'the query is not valid' },
  document_invalid: { status: 422, title: 'the document is not valid' },
  store_failed: { status: 503, title: 'the store does not answer' },
  api_failed: { status: 500, title: 'internal error' },
} as const satisfies Record<string, { status: number; title: string }>

/** The stable name of an error of the admin API. */
export type ApiErrorCode = keyof typeof apiErrors

/** One thing that is wrong in a document, with its place. */
export const problemItem = z.object({
  pointer: z.string().meta({ description: 'RFC 6901 pointer' }),
  line: z.int().optional(),
  column: z.int().optional(),
  message: z.string(),
  hint: z.string().optional(),
})

/** An RFC 9457 problem document. */
export const problemDocument = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string().meta({ description: 'stable name of the error' }),
  detail: z.string().optional(),
  problems: z.array(problemItem).optional(),
})

/** One thing that is wrong in a document. */
export type ProblemItem = z.infer<typeof problemItem>
/** An RFC 9457 problem document. */
export type ProblemDocument = z.infer<typeof problemDocument>

/** An error of the admin API; what it holds is shown to the caller. */
export class ApiError extends Error {
  readonly code: ApiErrorCode
  readonly detail: string | undefined
  readonly problems: readonly ProblemItem[]
  constructor(code: ApiErrorCode, detail?: string, problems: readonly ProblemItem[] = []) {
    super(detail ?? apiErrors[code].title)
    this.code = code
    this.detail = detail
    this.problems = problems
  }
}

/** The problem document of an error. */
export function problemOf(error: ApiError): ProblemDocument {
  const { status, title } = apiErrors[error.code]
  return {
    type: 'about:blank',
    title,
    status,
    code: error.code,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.problems.length === 0 ? {} : { problems: [...error.problems] }),
  }
}
