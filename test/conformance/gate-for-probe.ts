/**
 * The built program at `http://127.0.0.1:PORT/mcp`, without a credential, for probes that know nothing
 * else: `gate-for-probe.ts UPSTREAM PORT`. Ends with SIGTERM, and with whoever
 * started it.
 */
import { Space } from '../fakes/space.ts'
import { startBearerShim } from './bearer-shim.ts'

const TOKEN = 'conformance-probe-token'
const [url, port] = process.argv.slice(2)

const space = new Space()
space.file('all.json', {
  version: '1',
  default: 'deny',
  // The probe's server lists nothing, and a tool that is neither listed nor named does not exist.
  tools: { stream: { action: 'allow' }, flood: { action: 'allow' } },
})
const served = await space.serve({
  servers: { probed: { url, era: 'both' } },
  policies: { all: './all.json' },
  grants: { probe: { server: 'probed', policy: 'all', token: TOKEN } },
})
const routes = new Map([['/mcp', { token: TOKEN, path: '/mcp/probed' }]])
const shim = await startBearerShim(served.url, routes, Number(port))
async function end(): Promise<void> {
  await shim.close()
  await space.close()
  process.exit(0)
}
process.once('SIGTERM', () => void end())
// A probe that breaks off ends nothing.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) void end()
}, 500)
