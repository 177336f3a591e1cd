/** Why a check goes another way through the gateway. */
export interface Explanation {
  /** The subjects that it holds for, by the pattern of their ids. */
  readonly of: RegExp
  /** The differences that it explains, by the pattern of their lines. */
  readonly line: RegExp
  readonly why: string
  /** Depends on timing: the difference may also be missing. */
  readonly isUnsteady?: true
}

/** Every difference has one of these; the first that fits counts. */
export const EXPLANATIONS: readonly Explanation[] = [
  {
    of: /./,
    line: /^gained dns-rebinding-protection :: /,
    why: 'The server looks at no `Host`. Sallyport does, before anything reaches the server.',
  },
  {
    of: /@2026-07-28$/,
    line: /^gained tasks-.* sep-2663-(tasks-methods-non-declaring|tasks-get-invalid-task-id-32602): /,
    why: 'The server has no tasks. Sallyport answers for tasks that nobody made itself, as the extension wants it.',
  },
  {
    of: /^everything-(stdio|sse)@/,
    line: /^gained server-session-lifecycle :: server-session-terminated-returns-404: /,
    why: 'Over this transport the session is one of Sallyport, which does not know it any more once it has ended.',
  },
  {
    of: /^(modern-|.*-(stdio|sse)@2025-11-25$)/,
    line: / server-sse-multiple-streams :: server-sse-streams-functional: SUCCESS -> INFO$/,
    why: 'An answer without anything before it goes out as JSON, not as a stream of one event: the server’s transport knows neither. The suite takes both, and remarks it.',
  },
  {
    of: /-(stdio|sse)@2025-11-25$/,
    line: / server-sse-polling :: /,
    why: 'The server hangs up in the middle of a call and goes on when the client returns. A pipe, and the one stream of HTTP+SSE, have nothing that could be hung up: the answer comes at once.',
  },
]

/** The explanation of a difference. */
export const explanationOf = (id: string, line: string): Explanation | undefined =>
  EXPLANATIONS.find((one) => one.of.test(id) && one.line.test(line))
