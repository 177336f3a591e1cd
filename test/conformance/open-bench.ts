import { Space } from '../fakes/space.ts'
import { startBearerShim } from './bearer-shim.ts'
import { type Place, UPSTREAMS, type Upstream, type UpstreamName } from './routes.ts'
import { startStackShim } from './stack-shim.ts'

/**
 * A policy that allows everything: what is lost is lost by the gateway. Some servers do not have the
 * suite's own tools; they are named, because what is neither listed nor named does not exist.
 */
const ALLOW_ALL = {
  version: '1',
  default: 'allow',
  tools: Object.fromEntries(
    ['test_simple_text', 'test_error_handling', 'test_reconnection'].map((name) => [
      name,
      { action: 'allow' },
    ]),
  ),
}

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
  const neighbour = await upstreams['both-stdio'].start(space)
  const served = await space.serve({
    servers: { ...Object.fromEntries(places), neighbour },
    policies: { all: './allow-all.json' },
    stacks: Object.fromEntries(names.map((name) => [name, { servers: [name, 'neighbour'] }])),
    grants: Object.fromEntries(
      names.flatMap((name) => [
        [name, { server: name, policy: 'all', token: token(name) }],
        [`stack of ${name}`, { stack: name, policy: 'all', token: token(`stack-${name}`) }],
      ]),
    ),
  })
  const routes = new Map(
    names.flatMap((name) => [
      [`/mcp/${name}`, { token: token(name) }],
      [`/stacks/${name}`, { token: token(`stack-${name}`) }],
    ]),
  )
  const shim = await startBearerShim(served.url, routes)
  space.later(() => shim.close())
  return {
    served,
    through: (name: UpstreamName): string => `${shim.url}/mcp/${name}`,
    async inStack(name: UpstreamName): Promise<string> {
      const stack = await startStackShim(`${shim.url}/stacks/${name}`, name)
      space.later(() => stack.close())
      return stack.url
    },
    direct(name: UpstreamName): string {
      const place = places.get(name)
      if (place === undefined || !('url' in place)) throw new Error(`${name} has no URL`)
      return place.url
    },
    close: () => space.close(),
  }
}
