import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../fakes/recording-upstream.ts'
import { done, Space } from '../fakes/space.ts'
import { DEVIATIONS } from './deviations.ts'
import { openBench } from './open-bench.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const PROBES = at('../../../shared/protocol/')
const isHere = existsSync(`${PROBES}edge-probe.mjs`)
const isRequired = process.env.SALLYPORT_REQUIRE_SHARED === '1'

const space = new Space()
let bench: Awaited<ReturnType<typeof openBench>>
beforeAll(async () => {
  bench = await openBench(['both-http', 'both-stdio'])
})
afterAll(async () => {
  await bench.close()
  await space.close()
})

async function probe(name: string, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await done(
    space.startOther([process.execPath, `${PROBES}${name}`, ...args]),
  )
  expect(code, err).toBe(0)
  return out
}

test('the probes are here where they are required', () => {
  expect(isHere || !isRequired, 'SALLYPORT_REQUIRE_SHARED=1 needs ../shared').toBe(true)
})

// Skipped where the shared material does not lie beside the clone.
describe.skipIf(!isHere)('the wire probes', () => {
  test('every edge of the wire is as the reference server has it, but for the deviations we want', async () => {
    const [direct, through] = await Promise.all(
      [bench.direct('both-http'), bench.through('both-http')].map(async (url) => {
        const lines = (await probe('edge-probe.mjs', url)).trim().split('\n')
        return new Map(lines.map((line) => [line.split('\t')[0] ?? '', line]))
      }),
    )
    expect(direct?.size).toBeGreaterThan(80)
    const expected = [...(direct ?? [])].map(([name, line]) => {
      const wanted = DEVIATIONS[name]?.[0]
      return wanted === undefined ? line : `${name}\t${wanted}`
    })
    expect([...(through?.values() ?? [])]).toEqual(expected)
    // A deviation that is none any more is to be taken off the list.
    const gone = Object.entries(DEVIATIONS).filter(
      ([name, [answer]]) => direct?.get(name) === `${name}\t${answer}`,
    )
    expect(gone).toEqual([])
  })

  test.each(['both-http', 'both-stdio'] as const)(
    'nothing in a batch is executed in front of %s',
    async (server) => {
      const out = await probe('batch-bypass.mjs', bench.through(server), 'test_simple_text')
      expect(out).toContain(' 400 ')
      expect(out).not.toContain('EXECUTED')
    },
  )

  test('a stream begins at once, is aborted at once, and waits for a reader that does not', async () => {
    const gate = [process.execPath, at('gate-for-probe.ts'), '{upstream}', '{port}']
    const out = await probe('stream-probe.mjs', String(await freePort()), ...gate)
    const found = (pattern: RegExp): number => Number(pattern.exec(out)?.[1] ?? Number.NaN)
    expect(found(/first event after (\d+) ms/), out).toBeLessThan(1_000)
    expect(found(/yes, after (\d+) ms/), out).toBeLessThan(100)
    expect(found(/paused: ([\d.]+) MB/), out).toBeLessThan(40)
  })
})
