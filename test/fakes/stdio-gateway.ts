/**
 * A program that serves the scripted server (or the command given to it) over stdio, as `wrap` does,
 * so that signals and exit codes can be seen from outside.
 */
import { serveStdio } from '../../src/gateway/downstream/stdio.ts'
import { endLike, liveTogether, watchEnds } from '../../src/gateway/downstream/stdio-lifetime.ts'
import { grantDenying, openGate, serverOf } from './gate.ts'
import { openStdio } from './stdio-upstream.ts'

const [command, ...args] = process.argv.slice(2)
const env = JSON.parse(process.env.SERVER_ENVIRONMENT ?? '{}') as Record<string, string>
const ends = watchEnds()
const { upstream } = openStdio(
  { ...(command === undefined ? {} : { command, args }), env },
  {
    onExit: ends.onExit,
    stderr: 'inherit',
    bounds: { idleMs: Number.POSITIVE_INFINITY, stdinGraceMs: 500, termGraceMs: 500 },
  },
)
const listener = serveStdio({
  gate: openGate().gate,
  server: serverOf(upstream),
  grant: () => grantDenying('pid'),
  input: process.stdin,
  output: process.stdout,
  maxFrameBytes: 1_000_000,
  drainMs: 5_000,
})
const end = await liveTogether({
  listener,
  ends,
  closeUpstream: () => upstream.close(),
  signalUpstream: upstream.signal,
  signals: process,
  report: (line) => void process.stderr.write(`${line}\n`),
  signalGraceMs: 500,
})
endLike(end, process)
