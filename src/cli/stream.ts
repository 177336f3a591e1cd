import type { Io } from './command.ts'

/** True when the stream shows colours. */
export const hasColour = (stream: { isTTY?: boolean }, env: Io['env']): boolean =>
  stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
