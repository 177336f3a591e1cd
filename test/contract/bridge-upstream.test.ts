import { createLegacyOverModern } from '../../src/gateway/bridge/legacy-over-modern.ts'
import { openStdio } from '../fakes/stdio-upstream.ts'
import { describeUpstream } from './upstream.ts'

describeUpstream(
  'with sessions over a stateless process',
  async () => {
    const { upstream: inner } = openStdio({ env: { SCRIPT_STATELESS: '1' } })
    const upstream = createLegacyOverModern(inner, {
      name: 'scripted',
      log: () => {},
      clock: { now: () => performance.timeOrigin + performance.now() },
      mirrorsArguments: false,
    })
    return {
      upstream,
      async close() {
        await upstream.close()
        await inner.close()
      },
    }
  },
  {
    asking: 'a stateless server has no request of its own: it asks within its answer',
    listening: 'a stateless server tells only of changes that come after a subscription',
  },
)
