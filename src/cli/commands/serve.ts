import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Log, LogLevel } from '../../core/log.ts'
import { type Command, CommandError, type Io, UsageError, type Words } from '../command.ts'
import { dataDirOf } from '../data-dir.ts'
import { type FileProblem, loadFiles, problemLine } from '../load.ts'
import { createLog } from '../log.ts'
import { hasColour } from '../stream.ts'
import { type RunningGateway, startGateway, wireCore } from '../wire.ts'

/** How long what is in flight may take once we are asked to stop. */
const GRACE_MS = 10_000

/** `serve`. */
export const command: Command = {
  usage: '[--config FILE] [--host HOST] [--port PORT] [--data-dir DIR]',
  about:
    'Runs the gateway: every MCP client that points at /mcp/{server} with a grant token is held to that grant’s policy. Prints one line on stdout once it accepts traffic; logs go to stderr.',
  flags: {
    config: {
      type: 'string',
      value: 'FILE',
      about: 'the configuration (default sallyport.yaml, where there is one)',
    },
    host: { type: 'string', value: 'HOST', about: 'where to listen (default 127.0.0.1)' },
    port: { type: 'string', value: 'PORT', about: 'which port (default 7400; 0 picks one)' },
    'data-dir': {
      type: 'string',
      value: 'DIR',
      about: 'where the store is (default ~/.sallyport)',
    },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ['serve --config sallyport.yaml', 'in front of the servers of that file'],
    ['serve --port 0', 'on any free port, to be read from stdout'],
  ],
  run: async (words, io) => {
    const gateway = await start(words, io)
    io.stdout.write(`sallyport listening on ${gateway.url}\n`)
    const signal = await signalled()
    gateway.core.gate.log('info', { event: 'gateway.stopping', signal })
    await gateway.stop(GRACE_MS)
    gateway.core.gate.log('info', { event: 'gateway.stopped' })
    return 0
  },
}

async function start(words: Words, io: Io): Promise<RunningGateway> {
  const port = portOf(words.text('port'))
  const dataDir = dataDirOf(words.text('data-dir'), io)
  const file = configFile(words.text('config'), io.cwd)
  const log = logTo(io)
  const wired = await wireCore({ load: () => loadFiles(file, io.env), dataDir, log })
  if (!wired.ok) throw new CommandError(told(wired.problems, io))
  try {
    return await startGateway({ core: wired.core, dataDir, host: words.text('host'), port, log })
  } catch (thrown) {
    await wired.core.close()
    throw listenError(thrown, port)
  }
}

/** A log on stderr: lines for people on a terminal, JSON elsewhere. */
export const logTo = (io: Io): Log =>
  createLog(io.stderr, {
    isTty: io.stderr.isTTY === true,
    hasColour: hasColour(io.stderr, io.env),
    level: (io.env.SALLYPORT_LOG ?? 'info') as LogLevel,
    now: io.now,
  })

/** Prints every problem on a line of its own, and gives the line that sums them up. */
export function told(problems: readonly FileProblem[], io: Io): string {
  for (const problem of problems) io.stderr.write(`${problemLine(problem)}\n`)
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  return `not started: ${count} in the configuration; mend what is named above`
}

function configFile(named: string | undefined, cwd: string): string | undefined {
  if (named !== undefined) return resolve(cwd, named)
  const usual = resolve(cwd, 'sallyport.yaml')
  return existsSync(usual) ? usual : undefined
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new UsageError(`\`--port\` must be a number from 0 to 65535, not \`${text}\``)
  return port
}

function listenError(thrown: unknown, port: number | undefined): unknown {
  const { code } = thrown as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return new CommandError(
      `port ${port ?? 'of the configuration'} is taken; end what listens there, or choose another with --port`,
    )
  if (code === 'EACCES')
    return new CommandError(
      `port ${port ?? ''} may not be opened by this user; choose one above 1023`,
    )
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new CommandError('this machine has no such address; check --host or `listen.host`')
  return thrown
}

const signalled = (): Promise<NodeJS.Signals> =>
  new Promise((done) => {
    // Kept for good: a terminal and npm may both pass one Ctrl-C on, and the second must not cut
    // short what the first began.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => done(signal))
  })
