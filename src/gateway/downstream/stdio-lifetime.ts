import { constants } from 'node:os'
import type { ProcessEnd } from '../upstream/peer.ts'
import type { StdioListener } from './stdio.ts'

/** How our own process should end. */
export type StdioEnd =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }

/** What lives and dies together: a listener, and what it reaches. */
export interface StdioLifetime {
  readonly listener: StdioListener
  /** Ends the upstream; resolves once its processes are gone. */
  closeUpstream(): Promise<void>
  /** Passes a signal on to the server's process. */
  signalUpstream(signal: NodeJS.Signals): void
  /** How the server's processes ended; nothing ever for an upstream without any. */
  readonly ends: EndWatch
  /** Where signals arrive: the process. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>
  /** One line for the person who reads stderr. */
  report(line: string): void
  /** How long a server may take to end after a signal was passed on. */
  readonly signalGraceMs: number
}

/** Watches how processes end. */
export interface EndWatch {
  /** For `onExit` of the upstream. */
  onExit(end: ProcessEnd): void
  /** Resolves with the first end that must be ours as well. */
  readonly fatal: Promise<ProcessEnd>
  last(): ProcessEnd | undefined
}

/** A watch that has seen nothing yet. */
export function watchEnds(): EndWatch {
  let last: ProcessEnd | undefined
  let resolveFatal = (_end: ProcessEnd): void => {}
  const fatal = new Promise<ProcessEnd>((resolve) => {
    resolveFatal = resolve
  })
  return {
    fatal,
    last: () => last,
    onExit(end) {
      last = end
      if (isFatal(end)) resolveFatal(end)
    },
  }
}

/**
 * True when we must end with this process: it served the session, or had answered. One that ends
 * over its first stateless request only did not know that era, and the client may still initialize.
 */
const isFatal = (end: ProcessEnd): boolean =>
  !end.wasClosed && (end.era === 'legacy' || end.hadAnswered)

const PASSED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Waits for whatever ends first (the client, the server's process, a signal), ends the rest in
 * order, and gives how we should end, so that whoever started us sees what it would have seen of the
 * server itself:
 *
 * - the client closed stdin: what is in flight is finished, then the server ends; its exit code, or
 *   0 when we had to end it; 1 when it could not be reached at all
 * - the server's process ended: its exit code, or its signal; 1 instead of 0 when requests were lost
 * - a signal: passed on; the server's exit code or signal, or that signal when the server stays
 */
export async function liveTogether(lifetime: StdioLifetime): Promise<StdioEnd> {
  const { listener, ends, signals } = lifetime
  let onSignal = (_signal: NodeJS.Signals): void => {}
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    onSignal = resolve
  })
  for (const name of PASSED) signals.on(name, onSignal)

  const first = await Promise.race([
    ends.fatal,
    signalled,
    listener.ended.then(() => 'client' as const),
  ])
  const isSignal = typeof first === 'string' && first !== 'client'
  if (isSignal) {
    lifetime.signalUpstream(first)
    await Promise.race([ends.fatal, elapsed(lifetime.signalGraceMs)])
  }
  await listener.close()
  await lifetime.closeUpstream()
  for (const name of PASSED) signals.off(name, onSignal)

  const last = ends.last()
  if (isSignal)
    return last === undefined || last.wasClosed
      ? { kind: 'signal', signal: first }
      : endOf(last, false)
  if (first !== 'client') {
    lifetime.report(`the server's process ${describe(first)}`)
    return endOf(first, listener.failures().has('upstream_lost'))
  }
  if (listener.failures().has('upstream_unreachable')) return { kind: 'exit', code: 1 }
  return { kind: 'exit', code: last?.code ?? 0 }
}

const describe = (end: ProcessEnd): string =>
  end.signal === null ? `exited with code ${end.code}` : `was ended by ${end.signal}`

const endOf = (end: ProcessEnd, wereRequestsLost: boolean): StdioEnd =>
  end.signal === null
    ? { kind: 'exit', code: end.code === 0 && wereRequestsLost ? 1 : (end.code ?? 1) }
    : { kind: 'signal', signal: end.signal }

const elapsed = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })

/**
 * Ends this process in the way that was found; to be called last. Signals that a person or a
 * supervisor sends are died of, all others are told by the exit code, as a shell does.
 */
export function endLike(end: StdioEnd, own: NodeJS.Process): void {
  own.exitCode = end.kind === 'exit' ? end.code : 128 + (constants.signals[end.signal] ?? 0)
  if (end.kind === 'signal' && PASSED.includes(end.signal)) own.kill(own.pid, end.signal)
  else own.exit()
}
