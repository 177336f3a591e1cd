import { recommendServer } from '../../core/risk/recommend.ts'
import type { Report, ScannedServer } from './report.ts'

/** A scan as data: everything that the other renderings show, and nothing that is secret. */
export const reportJson = (report: Report) => ({
  version: 1,
  servers: report.servers.map(serverJson),
  stack: report.stack,
})

function serverJson(server: ScannedServer) {
  if (server.state !== 'scanned') return server
  const { tools, ...rest } = server
  return {
    ...rest,
    tools: tools.map(({ name, classification, findings }) => ({
      name,
      ...classification,
      findings,
    })),
    recommended: recommendServer(server.name, tools),
  }
}
