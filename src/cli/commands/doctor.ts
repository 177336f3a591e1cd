import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ServerEntry } from '../../core/snapshot.ts'
import type { Command, Words } from '../command.ts'
import type { Config } from '../config/config-model.ts'
import { dataDirOf } from '../data-dir.ts'
import { checkClock } from '../doctor/clock.ts'
import { checkConfig } from '../doctor/config-file.ts'
import { checkDataDir } from '../doctor/data-dir.ts'
import type { Finding } from '../doctor/finding.ts'
import { checkHttp } from '../doctor/http-server.ts'
import { checkPort } from '../doctor/port.ts'
import { checkStdio } from '../doctor/stdio-server.ts'
import { jsonFlag } from '../noun-commands.ts'
import { type Paint, painter } from '../paint.ts'
import { printable } from '../printable.ts'
import { hasColour } from '../stream.ts'
import { packageVersion } from '../version.ts'

/** `doctor`. */
export const command: Command = {
  usage: '[--config FILE] [--data-dir DIR] [--json]',
  about:
    'Checks configuration, policies, data dir, port, clock, and every server, and says what to mend. Exits 1 when something fails.',
  flags: {
    config: {
      type: 'string',
      value: 'FILE',
      about: 'the configuration (default sallyport.yaml, where there is one)',
    },
    'data-dir': {
      type: 'string',
      value: 'DIR',
      about: 'where the store is (default ~/.sallyport)',
    },
    ...jsonFlag,
  },
  positionals: { min: 0, max: 0 },
  examples: [['doctor --config sallyport.yaml', 'before the first start, or when something fails']],
  run: async (words, io) => {
    const paint = painter(hasColour(io.stdout, io.env))
    const all: Finding[] = []
    const tell = (...findings: readonly Finding[]): void => {
      all.push(...findings)
      if (!words.has('json')) for (const f of findings) io.stdout.write(lineOf(f, paint))
    }
    const { config, findings } = checkConfig(configFile(words, io.cwd), io.env)
    tell(...findings)
    tell(...checkDataDir(dataDirOf(words.text('data-dir'), io)))
    if (config !== undefined) {
      tell(await checkPort(config.listen.host, config.listen.port))
      const dates = await checkServers(config, tell)
      tell(checkClock(io.now(), dates))
    }
    const isWell = all.every((f) => f.state !== 'fail')
    if (words.has('json'))
      io.stdout.write(`${JSON.stringify({ ok: isWell, checks: all }, null, 2)}\n`)
    return isWell ? 0 : 1
  },
}

function configFile(words: Words, cwd: string): string | undefined {
  const named = words.text('config')
  if (named !== undefined) return resolve(cwd, named)
  const usual = resolve(cwd, 'sallyport.yaml')
  return existsSync(usual) ? usual : undefined
}

/** Asks every server at once; tells in the order of the file. */
async function checkServers(
  config: Config,
  tell: (finding: Finding) => void,
): Promise<readonly number[]> {
  const version = packageVersion()
  const asked = [...config.servers.values()].map((server) => checkServer(server, version))
  const dates: number[] = []
  for (const answer of asked) {
    const { finding, date } = await answer
    tell(finding)
    if (date !== undefined) dates.push(date)
  }
  return dates
}

async function checkServer({ name, target }: ServerEntry, version: string) {
  if (target.kind === 'http') return checkHttp({ name, ...target }, version)
  return { finding: await checkStdio(name, target, version), date: undefined }
}

function lineOf(finding: Finding, paint: Paint): string {
  const colour = { ok: paint.green, warn: paint.yellow, fail: paint.red }[finding.state]
  const head = `${colour(finding.state.padEnd(4))}  ${printable.text(finding.check.padEnd(16))}  ${printable.text(finding.message)}\n`
  return finding.mend === undefined
    ? head
    : `${head}      ${paint.dim('→')} ${printable.text(finding.mend)}\n`
}
