import { GatewayError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { FrameId } from '../../core/mcp/frame-model.ts'
import type { Clock } from '../../core/ports.ts'
import { type Child, type ChildExit, type ChildOptions, spawnChild } from './child.ts'
import { type Incoming, readIncoming } from './incoming.ts'
import { createStderrLines } from './stderr-lines.ts'
import type { Era } from './upstream.ts'

/** How a process ended, and what it had been good for. */
export interface ProcessEnd extends ChildExit {
  readonly era: Era
  /** It had answered at least one request with a result. */
  readonly hadAnswered: boolean
  /** We ended it, or asked it to end. */
  readonly wasClosed: boolean
}

/** What all processes of one upstream have in common. */
export interface PeerSettings {
  readonly name: string
  readonly log: Log
  readonly clock: Clock
  readonly child: ChildOptions
  /** How long a request may take in all. */
  readonly requestTimeoutMs: number
  /** Bytes that may wait for a process that does not read. */
  readonly maxBacklogBytes: number
  /** Told of every process that ends, for whoever must end with it; after its requests have failed. */
  readonly onExit?: (end: ProcessEnd) => void
}

/** What a process that speaks MCP tells of. */
export interface PeerEvents {
  message(incoming: Incoming): void
  /** A message too large to take; its id where it is known. */
  tooLarge(id: FrameId | undefined): void
  /** It has ended, or could not be started (`wasSent` false). Told once. */
  lost(error: GatewayError, wasSent: boolean): void
}

/** A process that speaks MCP. */
export interface Peer extends Child {
  isAlive(): boolean
  /** It has answered at least one request with a result. */
  hasAnswered(): boolean
  /** The error for a message that it can't take now; undefined when it can. */
  refusal(): GatewayError | undefined
}

/** Words for how a process ended. */
export const describeExit = (exit: ChildExit): string =>
  exit.signal === null
    ? `the process exited with code ${exit.code}`
    : `the process was ended by ${exit.signal}`

/** Starts a process and reads its messages; what is no message is logged (as a byte count) and dropped. */
export function openPeer(settings: PeerSettings, era: Era, events: PeerEvents): Peer {
  const { name, log } = settings
  let isAlive = true
  let isClosing = false
  let hadAnswered = false
  const babbled = (bytes: number): void =>
    log('warn', { event: 'upstream.babbled', upstream: name, bytes })
  const stderr = createStderrLines(settings.clock, (line) =>
    log('info', { event: 'upstream.said', upstream: name, line }),
  )

  const child = spawnChild(settings.child, {
    line(bytes) {
      const messages = readIncoming(bytes)
      if (messages === undefined) babbled(bytes.length)
      else
        for (const message of messages) {
          if (message.kind === 'response' && !message.isError) hadAnswered = true
          events.message(message)
        }
    },
    tooLong(id, bytes) {
      babbled(bytes)
      events.tooLarge(id)
    },
    stderr: (chunk) => stderr.push(chunk),
    failed(error) {
      isAlive = false
      log('error', { event: 'upstream.failed', upstream: name, reason: error.message })
      events.lost(error, false)
    },
    exited(exit) {
      isAlive = false
      stderr.end()
      const reason = describeExit(exit)
      if (!isClosing) log('warn', { event: 'upstream.lost', upstream: name, reason })
      events.lost(new GatewayError('upstream_lost', reason), true)
      settings.onExit?.({ ...exit, era, hadAnswered, wasClosed: isClosing })
    },
  })
  if (child.pid !== undefined)
    log('info', { event: 'upstream.started', upstream: name, pid: child.pid })

  return {
    ...child,
    isAlive: () => isAlive,
    hasAnswered: () => hadAnswered,
    refusal: () =>
      child.backlog() > settings.maxBacklogBytes
        ? new GatewayError('too_busy', 'the server does not read its input')
        : undefined,
    close() {
      isClosing = true
      return child.close()
    },
  }
}
