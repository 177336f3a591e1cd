import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BareClient, isForwarded, lastOf } from '../fakes/mcp-http.ts'
import { openRecordingUpstream, type RecordingUpstream } from '../fakes/recording-upstream.ts'
import { Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const TOKEN = 'crash-token-0123456789'
const MAX = 400
const KILLS = 3

let space: Space
let upstream: RecordingUpstream
beforeEach(async () => {
  space = new Space()
  upstream = await openRecordingUpstream()
  space.later(() => upstream.close())
})
afterEach(() => space.close())

/** Reads the database as any other program would. */
function look<T>(read: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(space.dataDir, 'sallyport.db'))
  try {
    return read(db)
  } finally {
    db.close()
  }
}

const config = () => ({
  servers: { stub: { url: upstream.url } },
  policies: { p: './policy.json' },
  grants: { test: { server: 'stub', policy: 'p', token: TOKEN } },
})

test('killed under load again and again, no more than the limit is ever forwarded', async () => {
  space.file('policy.json', {
    version: '1',
    default: 'deny',
    tools: { take: { limits: [{ counter: 'c', window: 'month', max: MAX }] } },
  })
  let acknowledged = 0
  for (let round = 0; round < KILLS; round += 1) {
    const served = await space.serve(config())
    const client = new BareClient(served.mcp('stub'), TOKEN)
    const target = acknowledged + 60
    const caller = async (): Promise<void> => {
      for (;;) {
        const answer = await client.call('take').catch(() => undefined)
        if (answer === undefined) return
        if (isForwarded(answer)) acknowledged += 1
        if (acknowledged >= target) served.program.kill('SIGKILL')
      }
    }
    await Promise.all(Array.from({ length: 8 }, caller))
    expect((await served.program.ended()).signal).toBe('SIGKILL')
    expect(look((db) => db.prepare('PRAGMA integrity_check').get())).toEqual({
      integrity_check: 'ok',
    })
  }
  expect(acknowledged).toBeGreaterThanOrEqual(60 * KILLS)
  const served = await space.serve(config())
  const client = new BareClient(served.mcp('stub'), TOKEN)
  for (let denied = 0; denied < 20; )
    if (isForwarded(await client.call('take'))) acknowledged += 1
    else denied += 1
  expect(acknowledged).toBeLessThanOrEqual(MAX)
  expect(upstream.calls('take').length).toBeLessThanOrEqual(MAX)
})

test('a counter that is small survives a kill exactly', async () => {
  space.file('policy.json', {
    version: '1',
    default: 'deny',
    tools: { take: { limits: [{ counter: 'c', window: 'month', max: 5 }] } },
  })
  for (let round = 0; round < 2; round += 1) {
    const served = await space.serve(config())
    const client = new BareClient(served.mcp('stub'), TOKEN)
    for (let i = 0; i < 2; i += 1) expect(isForwarded(await client.call('take'))).toBe(true)
    served.program.kill('SIGKILL')
    await served.program.ended()
  }
  const served = await space.serve(config())
  const client = new BareClient(served.mcp('stub'), TOKEN)
  const answers = [await client.call('take'), await client.call('take'), await client.call('take')]
  expect(answers.map(isForwarded)).toEqual([true, false, false])
  expect(upstream.calls('take')).toHaveLength(5)
})

test('a stop writes every record; a kill loses at most those of its last moments', async () => {
  space.file('policy.json', { version: '1', default: 'deny', tools: { take: {} } })
  const count = (): number =>
    look((db) => Number(db.prepare('SELECT sum(count) AS n FROM record_batches').get()?.n ?? 0))
  const first = await space.serve(config())
  const client = new BareClient(first.mcp('stub'), TOKEN)
  for (let i = 0; i < 50; i += 1) await client.call('take')
  first.program.kill('SIGTERM')
  expect((await first.program.ended()).code).toBe(0)
  expect(count()).toBe(50)

  const second = await space.serve(config())
  const again = new BareClient(second.mcp('stub'), TOKEN)
  for (let i = 0; i < 50; i += 1) await again.call('take')
  await until(() => count() === 100, 'the buffer to be written', 2_000)
  for (let i = 0; i < 50; i += 1) await again.call('take')
  second.program.kill('SIGKILL')
  await second.program.ended()
  expect(count()).toBeGreaterThanOrEqual(100)
  expect(look((db) => db.prepare('PRAGMA integrity_check').get())).toEqual({
    integrity_check: 'ok',
  })
})

test('with strict audit, every call that the server got is on record after a kill', async () => {
  space.file('policy.json', { version: '1', default: 'deny', tools: { take: {} } })
  const served = await space.serve({ ...config(), audit: 'strict' })
  const client = new BareClient(served.mcp('stub'), TOKEN)
  const caller = async (): Promise<void> => {
    for (;;) {
      const answer = await client.call('take').catch(() => undefined)
      if (answer === undefined) return
      if (upstream.calls('take').length >= 40) served.program.kill('SIGKILL')
    }
  }
  await Promise.all(Array.from({ length: 4 }, caller))
  await served.program.ended()
  const { out } = await space.run(['log', '--json', '--since', '1h', '--data-dir', space.dataDir])
  const intents = out.split('\n').filter((line) => line.includes('"take"'))
  const requests = new Set(
    intents.map((line) => (JSON.parse(line) as { requestId: string }).requestId),
  )
  for (const { message } of upstream.calls('take'))
    expect(requests.has(String(message.id))).toBe(true)
})

test('a session outlives the gateway, and is nothing in the hands of another grant', async () => {
  space.file('policy.json', { version: '1', default: 'deny', tools: { take: {} } })
  const other = `${TOKEN}-other`
  const grants = {
    test: { server: 'stub', policy: 'p', token: TOKEN },
    other: { server: 'stub', policy: 'p', token: other },
  }
  const send = async (url: string, token: string, message: object, session?: string) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${token}`,
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, message: lastOf(text) }
  }
  const first = await space.serve({ ...config(), grants })
  const clientInfo = { name: 'bare', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const opened = await send(first.mcp('stub'), TOKEN, { method: 'initialize', params })
  const session = opened.headers.get('mcp-session-id') ?? ''
  first.program.kill('SIGKILL')
  await first.program.ended()
  const second = await space.serve({ ...config(), grants })
  const call = { method: 'tools/call', params: { name: 'take', arguments: {} } }
  const kept = await send(second.mcp('stub'), TOKEN, call, session)
  expect(kept.message.result?.content?.[0]?.text).toBe('done')
  const stolen = await send(second.mcp('stub'), other, call, session)
  expect(stolen.status).toBe(404)
  expect(stolen.message.error?.data?.code).toBe('session_unknown')
  const forged = await send(second.mcp('stub'), TOKEN, call, `${session.slice(0, -2)}xx`)
  expect(forged.status).toBe(404)
  expect(upstream.calls('take')).toHaveLength(1)
})
