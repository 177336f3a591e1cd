import type { Json } from '../json/json.ts'
import { createCalendar } from './calendar.ts'
import type { Path } from './path.ts'
import { compileWalk, type Ends, type Scope } from './walk.ts'

/** Reads what a path names out of a request; compiled once. */
export function compileSource<Out>(
  path: Path,
  timezone: string,
  ends: Ends<Out>,
): (scope: Scope) => Out {
  const { root, segments } = path
  const walk = compileWalk(segments, ends)
  const leaf =
    (read: (scope: Scope) => Json | undefined) =>
    (scope: Scope): Out => {
      const value = read(scope)
      return value === undefined ? ends.absent : ends.found(value)
    }
  switch (root) {
    case 'args':
      return (scope) => walk(scope.request.args, scope.schema, scope)
    case 'tool.name':
      return leaf((scope) => scope.request.tool.name)
    case 'tool.category':
      return leaf((scope) => scope.request.tool.category)
    case 'tool.severity':
      return leaf((scope) => scope.request.tool.severity)
    case 'tool.annotations':
      return (scope) => walk(scope.request.tool.annotations, undefined, scope)
    case 'server.name':
      return leaf((scope) => scope.request.tool.server)
    case 'grant.label':
      return leaf((scope) => scope.request.subject.grant.label)
    case 'grant.tags':
      return (scope) => walk(scope.request.subject.grant.tags, undefined, scope)
    case 'session.id':
      return leaf((scope) => scope.request.subject.session)
    case 'client.name':
      return leaf((scope) => scope.request.subject.client.name)
    case 'client.version':
      return leaf((scope) => scope.request.subject.client.version)
    case 'time.hour':
    case 'time.weekday':
    case 'time.date': {
      const part = root === 'time.hour' ? 'hour' : root === 'time.weekday' ? 'weekday' : 'date'
      const calendar = createCalendar(timezone)
      return (scope) => {
        const now = calendar(scope.request.context.at)
        return now === undefined ? ends.unjudged('the time is unknown') : ends.found(now[part])
      }
    }
    case 'limits': {
      const counter = segments[0]?.kind === 'key' ? segments[0].key : ''
      return (scope) => {
        const value = scope.request.context.counters.get(counter)
        // Not a missing argument but an unanswered question: nothing may be concluded from it.
        return value === undefined
          ? ends.unjudged('the counter could not be read')
          : ends.found(value)
      }
    }
    default:
      return root satisfies never
  }
}
