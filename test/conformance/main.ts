/**
 * Runs the official conformance suite directly and through the built program, and prints what differs.
 *
 *   npm run conformance [-- --only TEXT]   measures the routes whose name holds the text
 */
import { parseArgs } from 'node:util'
import { measure, routesHere } from './measure.ts'
import { UPSTREAMS } from './routes.ts'
import { tally } from './run-model.ts'

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } })
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const routes = routesHere().filter(({ upstream, revision }) =>
  `${upstream}@${revision}`.includes(values.only),
)
await measure(routes, ({ route, direct, through, comparison: { kept, lost, gained, other } }) => {
  const count = (run: typeof direct): string => {
    const { scenarios, checks } = tally(run, 'scored')
    return `${scenarios.join('/')} scenarios, ${checks.join('/')} checks`
  }
  say(`== ${route.revision} client, ${UPSTREAMS[route.upstream].title}`)
  say(`   direct ${count(direct)}; through ${count(through)}`)
  say(`   kept ${kept}, lost ${lost.length}, gained ${gained.length}, other ${other.length}`)
  for (const [kind, all] of Object.entries({ lost, gained, other })) {
    for (const { scenario, check, direct: before, through: after, error } of all) {
      say(`   ${kind} ${scenario} :: ${check}: ${before} -> ${after} ${error ?? ''}`)
    }
  }
})
