import { createSseUpstream } from '../../src/gateway/upstream/sse.ts'
import { openScriptedSseServer } from '../fakes/scripted-sse-server.ts'
import { describeUpstream } from './upstream.ts'

describeUpstream(
  'over HTTP+SSE',
  async () => {
    const server = await openScriptedSseServer()
    const upstream = createSseUpstream({
      name: 'scripted',
      target: { kind: 'http', url: server.url, headers: {} },
      log() {},
      clock: { now: () => performance.timeOrigin + performance.now() },
    })
    return {
      upstream,
      async close() {
        await upstream.close()
        await server.close()
      },
    }
  },
  { modern: 'the transport is older than the stateless era' },
)
