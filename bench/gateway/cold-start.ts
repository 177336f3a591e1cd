import { call } from './ask.ts'
import type { Bed } from './bed.ts'
import { BenchError } from './bench-error.ts'
import { median } from './statistics.ts'

/** How long a start takes, medians in milliseconds. */
export interface ColdStart {
  readonly starts: number
  readonly listeningMs: number
  readonly answeredMs: number
}

const STARTS = 9

/** Starts gates on new data directories, and makes each forward one call. */
export async function coldStart(bed: Bed): Promise<ColdStart> {
  const listening: number[] = []
  const answered: number[] = []
  for (let i = 0; i < STARTS; i++) {
    const node = bed.gateWords('rules')
    const since = performance.now()
    const { pid, url } = await bed.children.listen('gate', { node })
    listening.push(performance.now() - since)
    const { text } = await call(`${url}/mcp/small`, bed.tokens.small)
    answered.push(performance.now() - since)
    if (!text.includes('"structuredContent"'))
      throw new BenchError('the first call was not forwarded; is dist/ up to date?')
    await bed.children.end(pid)
  }
  return { starts: STARTS, listeningMs: median(listening), answeredMs: median(answered) }
}
