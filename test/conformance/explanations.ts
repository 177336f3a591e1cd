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
    of: /^everything-.*@2025-11-25$/,
    line: /^gained server-session-lifecycle :: server-session-terminated-returns-404: /,
    why: 'The server answers for a session that has ended with another status. Sallyport does not know it any more.',
  },
  {
    of: /@2025-11-25$/,
    line: / server-sse-multiple-streams :: server-sse-streams-functional: SUCCESS -> INFO$/,
    isUnsteady: true,
    why: 'An answer with nothing before it goes out as JSON, not as a stream of one event: below are a pipe, HTTP+SSE or a stateless server. The suite takes both, and remarks it.',
  },
  {
    of: /^everything-(stdio|sse)@2025-11-25$/,
    line: / server-sse-polling :: /,
    why: 'The server has no such tool. The answer may be a stream or not: it depends on whether the server says anything else before.',
    isUnsteady: true,
  },
  {
    of: /-stdio@2025-11-25$|^modern-|^stack-of-/,
    line: / server-sse-polling :: /,
    why: 'The server hangs up in the middle of a call and goes on when the client returns. Over a pipe and on a stateless stream no server can hang up. Sallyport begins the stream so that a client that loses it may return, but never hangs up itself.',
  },
  {
    of: /^(stack-of-)?legacy-.*@2026-07-28$/,
    line: /^lost input-required-result-(basic-elicitation|ignore-extra-params) :: /,
    why: 'A stateless server names what it asks for (`user_name`). A server with sessions asks by a request, which has no name: Sallyport gives one of its own, and a client answers under that.',
  },
  {
    of: /^(stack-of-)?legacy-.*@2026-07-28$/,
    line: /^lost server-stateless :: sep-2575-(missing-capability-http-400|server-rejects-undeclared-capability): /,
    why: 'A server with sessions that can not ask its client says so in its own result. It has no error for a capability that is missing.',
  },
  {
    of: /^(stack-of-)?legacy-stdio@2026-07-28$/,
    line: /^lost server-stateless :: sep-2575-(http-server-no-independent-requests-on-stream|server-no-log-without-loglevel): /,
    why: 'The suite waits half a second for these answers. A process is started for each set of capabilities that a client declares, and the first call with a new one waits for it.',
    isUnsteady: true,
  },
  {
    of: /^everything-.*@2026-07-28$/,
    line: /^(gained|other) /,
    why: 'The server has sessions only: asked directly, a stateless client gets next to nothing from it. What still fails is of features that the server does not have.',
  },
]

/** The explanation of a difference. */
export const explanationOf = (id: string, line: string): Explanation | undefined =>
  EXPLANATIONS.find((one) => one.of.test(id) && one.line.test(line))
