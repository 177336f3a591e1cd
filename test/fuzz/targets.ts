import { answerTarget } from './answer-target.ts'
import { eventStreamTarget } from './event-stream-target.ts'
import { frameTarget } from './frame-target.ts'
import type { FuzzTarget } from './target.ts'

/** Everything that is fuzzed. */
export const targets: readonly FuzzTarget[] = [frameTarget, eventStreamTarget, answerTarget]
