import { afterEach, beforeEach, expect, test } from 'vitest'
import { BareClient, isForwarded } from '../fakes/mcp-http.ts'
import { openRecordingUpstream } from '../fakes/recording-upstream.ts'
import { Space } from '../fakes/space.ts'

const TOKEN = 'start-token-0123456789'
const RUNS = 5

let space: Space
beforeEach(() => {
  space = new Space()
})
afterEach(() => space.close())

test('the first call goes through soon after the start', async (context) => {
  const upstream = await openRecordingUpstream()
  space.later(() => upstream.close())
  space.file('policy.json', { version: '1', default: 'deny', tools: { take: {} } })
  const took: number[] = []
  for (let run = 0; run < RUNS; run += 1) {
    const start = performance.now()
    const served = await space.serve({
      servers: { stub: { url: upstream.url } },
      policies: { p: './policy.json' },
      grants: { test: { server: 'stub', policy: 'p', token: TOKEN } },
    })
    expect(isForwarded(await new BareClient(served.mcp('stub'), TOKEN).call('take'))).toBe(true)
    took.push(performance.now() - start)
    served.program.kill('SIGKILL')
    await served.program.ended()
  }
  took.sort((a, b) => a - b)
  const median = took[Math.floor(RUNS / 2)] ?? Number.NaN
  await context.annotate(`spawn to first answer: median ${Math.round(median)} ms of ${RUNS}`)
  // The goal is 400 ms; the bound is for a machine that does other work too.
  expect(median).toBeLessThan(1_500)
})
