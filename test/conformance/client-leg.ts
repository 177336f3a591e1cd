import { fileURLToPath } from 'node:url'
import { SCENARIOS } from './client/scenarios.ts'
import type { Revision, Run } from './run-model.ts'
import { requirementsOf, runSuite } from './suite.ts'

const CLIENT = fileURLToPath(new URL('client/main.ts', import.meta.url))

/** How the client reaches the suite's mock servers: alone, over HTTP and over stdio. */
export type Way = 'direct' | 'serve' | 'wrap'

/** The client scenarios of a revision; those of `auth/*` are of a client that signs in by itself. */
export function clientScenarios(revision: Revision): readonly string[] {
  const { client, notScored } = requirementsOf(revision)
  const unscored = notScored.filter(({ leg }) => leg === 'client').map(({ scenario }) => scenario)
  const names = [...client, ...unscored].filter((name) => !name.startsWith('auth/'))
  const missing = names.filter((name) => SCENARIOS[name] === undefined)
  if (missing.length > 0) throw new Error(`nobody plays ${missing.join(', ')}`)
  return names
}

/** Plays one scenario and gives what its mock server saw. */
export const runClient = (way: Way, revision: Revision, scenario: string): Promise<Run> =>
  runSuite({
    leg: 'client',
    revision,
    subject: `${process.execPath} ${CLIENT} ${way}`,
    scenario,
  })
