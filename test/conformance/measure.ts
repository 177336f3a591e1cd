import { clientScenarios, runClient, type Way } from './client-leg.ts'
import { type Comparison, compare } from './compare.ts'
import { limited } from './limited.ts'
import { openBench } from './open-bench.ts'
import { ROUTES, type Route, UPSTREAMS } from './routes.ts'
import { REVISIONS, type Revision, type Run } from './run-model.ts'
import { runSuite } from './suite.ts'

/** What was measured of one path through the gateway. */
export interface Measured {
  readonly id: string
  readonly direct: Run
  readonly through: Run
  readonly comparison: Comparison
}

/** Something to measure. */
export interface Subject {
  readonly id: string
  readonly kind: Route['kind'] | 'as a client'
  readonly revision: Revision
  readonly title: string
  /** What it needs lies at hand. */
  readonly isHere: boolean
  readonly source: Route | { readonly way: Exclude<Way, 'direct'> }
}

const idOf = (name: string, revision: Revision): string => `${name}@${revision}`

const routeSubject = (route: Route): Subject => ({
  id: idOf(
    route.kind === 'in a stack' ? `stack-of-${route.upstream}` : route.upstream,
    route.revision,
  ),
  kind: route.kind,
  revision: route.revision,
  title: UPSTREAMS[route.upstream].title,
  isHere: [route.upstream, route.against].every((name) => UPSTREAMS[name].isHere),
  source: route,
})

const clientSubject = (way: Exclude<Way, 'direct'>, revision: Revision): Subject => ({
  id: idOf(`client-${way}`, revision),
  kind: 'as a client',
  revision,
  title: way === 'serve' ? 'behind `serve`, over HTTP' : 'behind `wrap`, over stdio',
  isHere: true,
  source: { way },
})

/** Everything that is measured. */
export const SUBJECTS: readonly Subject[] = [
  ...ROUTES.map(routeSubject),
  ...REVISIONS.flatMap((revision) => [
    clientSubject('serve', revision),
    clientSubject('wrap', revision),
  ]),
]

const AT_ONCE = 3

const counted = ({ source }: Subject, run: Run): Run => {
  const only = 'only' in source ? source.only : undefined
  return only === undefined
    ? run
    : Object.fromEntries(Object.entries(run).filter(([scenario]) => only.test(scenario)))
}

/** Runs the suite directly and through the gateway, for every subject, a few runs at once. */
export async function measure(
  subjects: readonly Subject[],
  tell: (measured: Measured) => void = () => {},
): Promise<readonly Measured[]> {
  const names = subjects.flatMap(({ source }) =>
    'upstream' in source ? [source.upstream, source.against] : [],
  )
  const bench = await openBench([...new Set(names)])
  const turn = limited(AT_ONCE)
  const runServer = (revision: Revision, subject: string): Promise<Run> =>
    turn(() => runSuite({ leg: 'server', revision, subject }))
  const directs = new Map<string, Promise<Run>>()
  const once = (key: string, run: () => Promise<Run>): Promise<Run> => {
    const known = directs.get(key) ?? run()
    directs.set(key, known)
    return known
  }
  const playAll = async (way: Way, revision: Revision): Promise<Run> => {
    const scenarios = clientScenarios(revision)
    const runs = scenarios.map((one) => turn(() => runClient(way, revision, one)))
    return Object.assign({}, ...(await Promise.all(runs))) as Run
  }
  const bothOf = ({ source, revision }: Subject): readonly [Promise<Run>, Promise<Run>] => {
    if ('way' in source) {
      const direct = once(idOf('client', revision), () => playAll('direct', revision))
      return [direct, playAll(source.way, revision)]
    }
    const { upstream, against, kind }: Route = source
    const through = async (): Promise<string> =>
      kind === 'in a stack' ? bench.inStack(upstream) : bench.through(upstream)
    return [
      once(idOf(against, revision), () => runServer(revision, bench.direct(against))),
      through().then((url) => runServer(revision, url)),
    ]
  }
  try {
    return await Promise.all(
      subjects.map(async (subject) => {
        const both = await Promise.all(bothOf(subject))
        const [direct, through] = both.map((run) => counted(subject, run)) as [Run, Run]
        const measured = { id: subject.id, direct, through, comparison: compare(direct, through) }
        tell(measured)
        return measured
      }),
    )
  } finally {
    await bench.close()
  }
}
