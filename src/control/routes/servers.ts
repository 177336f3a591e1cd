import { ApiError } from '../../core/contract/problem.ts'
import { wrongUpstreamUrl } from '../../core/contract/rules.ts'
import {
  type ServerPut,
  type ServerView,
  serverDocument,
  serverPost,
  serverPut,
} from '../../core/contract/server.ts'
import type { ServerEntry } from '../../core/snapshot.ts'
import { checked } from '../body.ts'
import { fileOwned, putNoun, removeNoun, storedOf, unknown } from '../nouns.ts'
import { isPrivateHost } from '../private-host.ts'
import type { Route, RouteCall } from '../route.ts'

/** Servers; header and variable values go in and never come out. */
export const servers: readonly Route[] = [
  {
    verb: 'get',
    path: '/servers',
    summary: 'List servers',
    answers: { 200: 'ServerPage' },
    run: async ({ ports }) => {
      const all = [...new Set(ports.snapshot().servers.values())]
      const items = all.map(viewOf).toSorted((a, b) => (a.name < b.name ? -1 : 1))
      return { status: 200, body: { items, nextCursor: null } }
    },
  },
  {
    verb: 'post',
    path: '/servers',
    summary: 'Add a server',
    body: 'ServerPost',
    answers: { 201: 'Server' },
    run: async (call) => {
      const { name, ...put } = checked(serverPost, call.body, 'document_invalid')
      const isTaken = call.ports.snapshot().servers.has(name)
      if (isTaken || (await storedOf(call, 'server')).has(name))
        throw new ApiError('name_taken', `there is already a server \`${name}\``)
      return { status: 201, body: await write(call, name, put) }
    },
  },
  {
    verb: 'get',
    path: '/servers/{key}',
    summary: 'Show a server, by name or id',
    answers: { 200: 'Server' },
    run: async (call) => ({ status: 200, body: viewOf(find(call)) }),
  },
  {
    verb: 'put',
    path: '/servers/{key}',
    summary: 'Replace a server; headers and variables not named are gone',
    body: 'ServerPut',
    answers: { 200: 'Server' },
    run: async (call) => {
      const server = find(call)
      if (server.source === 'file') throw fileOwned('server', server.name)
      const put = checked(serverPut, call.body, 'document_invalid')
      return { status: 200, body: await write(call, server.name, put) }
    },
  },
  {
    verb: 'delete',
    path: '/servers/{key}',
    summary: 'Remove a server',
    answers: { 204: 'none' },
    run: async (call) => {
      const server = find(call)
      if (server.source === 'file') throw fileOwned('server', server.name)
      await removeNoun(call, 'server', server.name)
      return { status: 204 }
    },
  },
]

function find({ ports, key }: RouteCall): ServerEntry {
  const server = ports.snapshot().servers.get(key)
  if (server === undefined) throw unknown('server', key)
  return server
}

async function write(call: RouteCall, name: string, put: ServerPut): Promise<ServerView> {
  refuse(call, put)
  const document = serverDocument(put)
  const noun = await putNoun(call, { kind: 'server', name, document: JSON.stringify(document) })
  return viewOf({ id: noun.id, name, source: 'store', ...document })
}

/** What this gateway's admins may not add. */
function refuse(call: RouteCall, put: ServerPut): void {
  const commands = call.ports.mayAddCommands()
  const mend = 'put it into the configuration file, or set `admin.commands: true` there'
  if (!('url' in put)) {
    if (!commands) throw new ApiError('commands_refused', mend)
    return
  }
  const wrong = wrongUpstreamUrl(put.url, (text) => URL.parse(text) ?? undefined)
  if (wrong !== undefined)
    throw new ApiError('document_invalid', undefined, [{ pointer: '/url', message: wrong }])
  const host = URL.parse(put.url)?.hostname ?? ''
  if (!commands && isPrivateHost(host)) throw new ApiError('private_refused', mend)
}

function viewOf(server: ServerEntry): ServerView {
  const { id, name, source, target, era } = server
  const methods = [...server.methods]
  return target.kind === 'http'
    ? {
        id,
        name,
        kind: 'http',
        url: shownUrl(target.url),
        headers: Object.keys(target.headers),
        transport: target.transport,
        command: null,
        args: [],
        env: [],
        cwd: null,
        instances: null,
        era,
        methods,
        source,
      }
    : {
        id,
        name,
        kind: 'stdio',
        url: null,
        headers: [],
        transport: null,
        command: target.command,
        args: [...target.args],
        env: Object.keys(target.env),
        cwd: target.cwd ?? null,
        instances: target.instances,
        era,
        methods,
        source,
      }
}

/** A query may hold a key: its values are not shown. */
function shownUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || url.search === '') return text
  for (const name of [...url.searchParams.keys()]) url.searchParams.set(name, '…')
  return url.href
}
