import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort } from '../fakes/recording-upstream.ts'
import type { Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'
import type { Revision } from './run-model.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const REFERENCE = at('../fakes/reference-server/main.ts')
const EVERYTHING = at('../../node_modules/@modelcontextprotocol/server-everything/dist/index.js')
/** Lies beside the clone where the project's shared material is at hand. */
const TASKS = at('../../../shared/protocol/tasks-server.mjs')

/** Where a server is, as the gateway's configuration says it. */
export type Place = { readonly url: string } | { readonly command: string; readonly args: string[] }

/** A server that the suite is run against, directly or through the gateway. */
export interface Upstream {
  readonly title: string
  readonly isHere: boolean
  start(space: Space): Promise<Place>
}

type Eras = 'both' | 'legacy' | 'modern'

const referenceOverHttp = (eras: Eras): Upstream => ({
  title: `reference server, ${eras === 'both' ? 'both eras' : `${eras} only`}, HTTP`,
  isHere: true,
  async start(space) {
    const program = space.startOther([process.execPath, REFERENCE, '--port', '0', '--eras', eras])
    const line = await program.line('listening on ')
    return { url: line.slice('listening on '.length) }
  },
})

const referenceOverStdio = (eras: Eras): Upstream => ({
  title: `reference server, ${eras === 'both' ? 'both eras' : `${eras} only`}, stdio`,
  isHere: true,
  start: async () => ({
    command: process.execPath,
    args: [REFERENCE, '--stdio', '--eras', eras],
  }),
})

/** Every server that is measured. */
export const UPSTREAMS = {
  'both-http': referenceOverHttp('both'),
  'both-stdio': referenceOverStdio('both'),
  'legacy-http': referenceOverHttp('legacy'),
  'legacy-stdio': referenceOverStdio('legacy'),
  'modern-http': referenceOverHttp('modern'),
  'modern-stdio': referenceOverStdio('modern'),
  'everything-http': {
    title: 'server-everything, HTTP',
    isHere: true,
    async start(space) {
      const port = await freePort()
      const program = space.startOther([process.execPath, EVERYTHING, 'streamableHttp'], {
        env: { PORT: String(port) },
      })
      await until(() => program.err.includes('listening on port'), 'server-everything')
      return { url: `http://127.0.0.1:${port}/mcp` }
    },
  },
  'everything-sse': {
    title: 'server-everything, HTTP+SSE',
    isHere: true,
    async start(space) {
      const port = await freePort()
      const program = space.startOther([process.execPath, EVERYTHING, 'sse'], {
        env: { PORT: String(port) },
      })
      await until(() => /running|listening/i.test(program.err), 'server-everything over SSE')
      return { url: `http://127.0.0.1:${port}/sse` }
    },
  },
  'everything-stdio': {
    title: 'server-everything, stdio',
    isHere: true,
    start: async () => ({ command: process.execPath, args: [EVERYTHING, 'stdio'] }),
  },
  'tasks-http': {
    title: 'tasks server, HTTP (`tasks-*`)',
    isHere: existsSync(TASKS),
    async start(space) {
      const port = await freePort()
      const program = space.startOther([process.execPath, TASKS, String(port)])
      const url = `http://127.0.0.1:${port}/mcp`
      await answering(url, () => program.isOver)
      return { url }
    },
  },
} satisfies Readonly<Record<string, Upstream>>

export type UpstreamName = keyof typeof UPSTREAMS

/** Resolves once something answers at a URL. */
async function answering(url: string, isOver: () => boolean): Promise<void> {
  let isUp = false
  const ask = (): void => {
    fetch(url).then(
      () => {
        isUp = true
      },
      () => {
        if (!isOver()) setTimeout(ask, 20)
      },
    )
  }
  ask()
  await until(() => isUp, `an answer from ${url}`)
}

/** One measured path: a client of one revision, through the gateway, to a server. */
export interface Route {
  readonly upstream: UpstreamName
  readonly revision: Revision
  /** The server that is asked directly for comparison. */
  readonly against: UpstreamName
  readonly kind: 'same era' | 'bridged' | 'in a stack'
  /** The scenarios that count; all where it is not said. */
  readonly only?: RegExp
}

const OLD = '2025-11-25'
const NEW = '2026-07-28'

/** Every measured path. */
export const ROUTES: readonly Route[] = [
  { upstream: 'both-http', revision: OLD, against: 'both-http', kind: 'same era' },
  { upstream: 'both-http', revision: NEW, against: 'both-http', kind: 'same era' },
  { upstream: 'both-stdio', revision: OLD, against: 'both-http', kind: 'same era' },
  { upstream: 'both-stdio', revision: NEW, against: 'both-http', kind: 'same era' },
  { upstream: 'legacy-http', revision: OLD, against: 'both-http', kind: 'same era' },
  { upstream: 'legacy-stdio', revision: OLD, against: 'both-http', kind: 'same era' },
  { upstream: 'modern-http', revision: NEW, against: 'both-http', kind: 'same era' },
  { upstream: 'modern-stdio', revision: NEW, against: 'both-http', kind: 'same era' },
  { upstream: 'everything-http', revision: OLD, against: 'everything-http', kind: 'same era' },
  { upstream: 'everything-stdio', revision: OLD, against: 'everything-http', kind: 'same era' },
  { upstream: 'everything-sse', revision: OLD, against: 'everything-http', kind: 'same era' },
  {
    upstream: 'tasks-http',
    revision: NEW,
    against: 'tasks-http',
    kind: 'same era',
    // It has tasks, and nothing else that the suite asks for.
    only: /^tasks-/,
  },
  { upstream: 'modern-http', revision: OLD, against: 'both-http', kind: 'bridged' },
  { upstream: 'modern-stdio', revision: OLD, against: 'both-http', kind: 'bridged' },
  { upstream: 'legacy-http', revision: NEW, against: 'both-http', kind: 'bridged' },
  { upstream: 'legacy-stdio', revision: NEW, against: 'both-http', kind: 'bridged' },
  { upstream: 'everything-http', revision: NEW, against: 'everything-http', kind: 'bridged' },
  { upstream: 'everything-sse', revision: NEW, against: 'everything-http', kind: 'bridged' },
  { upstream: 'both-http', revision: OLD, against: 'both-http', kind: 'in a stack' },
  { upstream: 'both-http', revision: NEW, against: 'both-http', kind: 'in a stack' },
  { upstream: 'legacy-stdio', revision: OLD, against: 'both-http', kind: 'in a stack' },
  { upstream: 'legacy-stdio', revision: NEW, against: 'both-http', kind: 'in a stack' },
  {
    upstream: 'tasks-http',
    revision: NEW,
    against: 'tasks-http',
    kind: 'in a stack',
    only: /^tasks-/,
  },
]
