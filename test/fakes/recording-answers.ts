import type { GatewayError } from '../../src/core/errors.ts'
import type { AnswerSink } from '../../src/gateway/gate.ts'
import { RecordingSink } from './recording-sink.ts'

/** Keeps everything that an exchange answers with, the gateway's own messages too. */
export class RecordingAnswers extends RecordingSink implements AnswerSink {
  /** Messages of the gateway's own. */
  readonly replies: string[] = []
  /** Notifications of the gateway's own. */
  readonly notes: string[] = []
  /** The upstream sessions for which the client got one. */
  readonly opened: (string | undefined)[] = []

  reply(text: string): void {
    this.replies.push(text)
    this.isOver = true
  }
  notify(text: string): void {
    this.notes.push(text)
  }
  openSession(upstream: string | undefined): string {
    this.opened.push(upstream)
    return 'sealed'
  }
  override fail(error: GatewayError, wasSent: boolean): void {
    super.fail(error, wasSent)
  }
}
