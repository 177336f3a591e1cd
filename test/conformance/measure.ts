import { Space } from '../fakes/space.ts'
import { startBearerShim } from './bearer-shim.ts'
import { type Comparison, compare } from './compare.ts'
import {
  type Place,
  ROUTES,
  type Route,
  UPSTREAMS,
  type Upstream,
  type UpstreamName,
} from './routes.ts'
import type { Run } from './run-model.ts'
import { runSuite } from './suite.ts'

/** What one route did. */
export interface Measured {
  readonly route: Route
  readonly direct: Run
  readonly through: Run
  readonly comparison: Comparison
}

/** A policy that allows everything: what is lost is lost by the gateway. */
const ALLOW_ALL = { version: '1', default: 'allow' }
const AT_ONCE = 3

/** The servers of this machine and the built program before them; closing ends all. */
export async function openBench(names: readonly UpstreamName[]) {
  const space = new Space()
  const upstreams: Readonly<Record<UpstreamName, Upstream>> = UPSTREAMS
  const placed = await Promise.all(
    names.map(async (name) => [name, await upstreams[name].start(space)] as const),
  )
  const places = new Map<UpstreamName, Place>(placed)
  space.file('allow-all.json', ALLOW_ALL)
  const token = (name: string): string => `conformance-token-of-${name}`
  const served = await space.serve({
    servers: Object.fromEntries(places),
    policies: { all: './allow-all.json' },
    grants: Object.fromEntries(
      names.map((name) => [name, { server: name, policy: 'all', token: token(name) }]),
    ),
  })
  const tokens = new Map(names.map((name) => [`/mcp/${name}`, token(name)]))
  const shim = await startBearerShim(served.url, tokens)
  space.later(() => shim.close())
  return {
    served,
    through: (name: UpstreamName): string => `${shim.url}/mcp/${name}`,
    direct(name: UpstreamName): string {
      const place = places.get(name)
      if (place === undefined || !('url' in place)) throw new Error(`${name} has no URL`)
      return place.url
    },
    close: () => space.close(),
  }
}

/** Routes whose servers are all at hand. */
export const routesHere = (): readonly Route[] =>
  ROUTES.filter(({ upstream, against }) =>
    [upstream, against].every((name) => UPSTREAMS[name].isHere),
  )

/** Runs the suite directly and through the gateway, for every route, a few at once. */
export async function measure(
  routes: readonly Route[],
  tell: (measured: Measured) => void = () => {},
): Promise<readonly Measured[]> {
  const names = [...new Set(routes.flatMap(({ upstream, against }) => [upstream, against]))]
  const bench = await openBench(names)
  try {
    const turn = limited(AT_ONCE)
    const directs = new Map<string, Promise<Run>>()
    const directRun = ({ against, revision }: Route): Promise<Run> => {
      const key = JSON.stringify([against, revision])
      const known = directs.get(key)
      if (known !== undefined) return known
      const run = turn(() => runSuite({ leg: 'server', revision, subject: bench.direct(against) }))
      directs.set(key, run)
      return run
    }
    return await Promise.all(
      routes.map(async (route) => {
        const { revision, upstream } = route
        const [direct, through] = await Promise.all([
          directRun(route),
          turn(() => runSuite({ leg: 'server', revision, subject: bench.through(upstream) })),
        ])
        const measured = { route, direct, through, comparison: compare(direct, through) }
        tell(measured)
        return measured
      }),
    )
  } finally {
    await bench.close()
  }
}

/** Lets a few pieces of work run at once, the rest in turn. */
function limited(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = atOnce
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free -= 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}
