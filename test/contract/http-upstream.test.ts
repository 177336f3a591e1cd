import { createHttpUpstream } from '../../src/gateway/upstream/http.ts'
import { openScriptedHttpServer } from '../fakes/scripted-http-server.ts'
import { describeUpstream } from './upstream.ts'

describeUpstream('over Streamable HTTP', async () => {
  const server = await openScriptedHttpServer()
  const upstream = createHttpUpstream({ kind: 'http', url: server.url, headers: {} })
  return {
    upstream,
    async close() {
      await upstream.close()
      await server.close()
    },
  }
})
