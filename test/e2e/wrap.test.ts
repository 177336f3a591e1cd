import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StdioTalk } from '../fakes/mcp-stdio.ts'
import { isAlive } from '../fakes/program.ts'
import { openRecordingUpstream } from '../fakes/recording-upstream.ts'
import { done, Space } from '../fakes/space.ts'
import { SCRIPTED } from '../fakes/stdio-upstream.ts'
import { until } from '../fakes/until.ts'

/** A reference to a variable, as a command line has it. */
const reference = (name: string): string => `\${${name}}`

let space: Space
beforeEach(() => {
  space = new Space()
  allow()
})
afterEach(() => space.close())

/** `wrap` before the scripted server, or another command. */
const wrap = (
  command: readonly string[] = [process.execPath, SCRIPTED],
  env: Record<string, string> = {},
): StdioTalk =>
  new StdioTalk(space.start(['wrap', '--policy', 'policy.json', '--', ...command], { env }))

/** The scripted server has every tool but lists none: an exact entry lets one through. */
const allow = (...tools: readonly string[]): void => {
  space.file('policy.json', {
    version: '1',
    default: 'deny',
    tools: Object.fromEntries(tools.map((tool) => [tool, {}])),
  })
}

const saidBy = async (talk: StdioTalk, tool: string, args = {}): Promise<string> =>
  (await talk.call(tool, args)).result?.content?.[0]?.text ?? ''

test('stdout carries JSON-RPC and nothing else, whatever the server does', async () => {
  allow('babble', 'stderr', 'line', 'split')
  const talk = wrap()
  await talk.initialize()
  talk.program.write('this is no frame\n{"jsonrpc":"2.0","id":true,"method":"ping"}\n\n')
  expect(await saidBy(talk, 'babble')).toBe('after the babble')
  expect(await saidBy(talk, 'stderr', { text: 'noise on stderr\n' })).toBe('said')
  expect(await saidBy(talk, 'split', { text: 'hé 😀' })).toBe('hé 😀')
  expect((await talk.call('fail')).result?.isError).toBe(true)
  talk.program.endInput()
  expect(await talk.program.ended()).toEqual({ code: 0, signal: null })
  expect(talk.program.lines.length).toBeGreaterThan(4)
  for (const message of talk.messages) expect(message.jsonrpc).toBe('2.0')
  expect(talk.program.err).toContain('noise on stderr')
})

test('the server gets the environment of the client, without what is ours', async () => {
  allow('environment')
  const talk = wrap(undefined, { FOR_THE_SERVER: 'yes' })
  await talk.initialize()
  const env = JSON.parse(await saidBy(talk, 'environment')) as Record<string, string>
  expect(env.FOR_THE_SERVER).toBe('yes')
  expect(Object.keys(env).filter((name) => name.startsWith('SALLYPORT_'))).toEqual([])
})

describe('how wrap ends', () => {
  test('with the exit code of a server that exits, and one line that says so', async () => {
    allow('die')
    const talk = wrap()
    await talk.initialize()
    const id = talk.ask('tools/call', { name: 'die', arguments: { code: 7 } })
    const ended = await done(talk.program)
    expect(ended).toMatchObject({ code: 7, signal: null })
    expect(talk.messages.find((m) => m.id === id)?.error?.data?.code).toBe('upstream_lost')
    expect(ended.errLines.filter((line) => line.startsWith('sallyport: '))).toHaveLength(1)
  })

  test('with 128 and the number of the signal that ended the server', async () => {
    allow('crash')
    const talk = wrap()
    await talk.initialize()
    talk.ask('tools/call', { name: 'crash', arguments: {} })
    expect(await talk.program.ended()).toEqual({ code: 137, signal: null })
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s goes to the server and all it started',
    async (signal) => {
      allow('pid', 'grandchild')
      const talk = wrap()
      await talk.initialize()
      const child = Number(await saidBy(talk, 'pid'))
      const grandchild = Number(await saidBy(talk, 'grandchild'))
      expect(isAlive(child) && isAlive(grandchild)).toBe(true)
      talk.program.kill(signal)
      expect((await talk.program.ended()).signal).toBe(signal)
      await until(() => !isAlive(child) && !isAlive(grandchild), 'the server to be gone')
    },
  )

  test('killed itself, it leaves no server behind', async () => {
    allow('pid')
    const talk = wrap()
    await talk.initialize()
    const child = Number(await saidBy(talk, 'pid'))
    talk.program.kill('SIGKILL')
    expect((await talk.program.ended()).signal).toBe('SIGKILL')
    await until(() => !isAlive(child), 'the server to be gone')
  })

  test('with 2 and one line where its words make no sense', async () => {
    const ended = await space.run(['wrap', '--polcy', 'x', '--', 'true'])
    expect(ended).toMatchObject({ code: 2, out: '' })
    expect(ended.errLines).toHaveLength(1)
    expect(ended.err).toContain('--policy')
  })
})

test('killing serve ends the servers that it started', async () => {
  const token = 'wrap-serve-token-0123456789'
  allow('pid')
  const served = await space.serve({
    servers: { s: { command: process.execPath, args: [SCRIPTED] } },
    policies: { p: './policy.json' },
    grants: { a: { server: 's', policy: 'p', token } },
  })
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
  }
  const clientInfo = { name: 'bare', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const send = (message: object) =>
    fetch(served.mcp('s'), {
      method: 'POST',
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
    })
  const opened = await send({ method: 'initialize', params })
  await opened.text()
  headers['mcp-session-id'] = opened.headers.get('mcp-session-id') ?? ''
  const answer = await send({ method: 'tools/call', params: { name: 'pid', arguments: {} } })
  const child = Number(/"text":"(\d+)"/.exec(await answer.text())?.[1])
  expect(isAlive(child)).toBe(true)
  served.program.kill('SIGKILL')
  await served.program.ended()
  await until(() => !isAlive(child), 'the server to be gone')
})

describe('wrap before a URL', () => {
  test('sends the headers of the command line, with what the environment has for them', async () => {
    const upstream = await openRecordingUpstream()
    space.later(() => upstream.close())
    allow('take')
    const header = `Authorization: Bearer ${reference('UPSTREAM_KEY')}`
    const program = space.start(
      [
        'wrap',
        '--policy',
        'policy.json',
        '--upstream',
        upstream.url,
        '--header',
        header,
        '--header',
        'X-Team: blue',
      ],
      { env: { UPSTREAM_KEY: 'key-from-the-environment' } },
    )
    const talk = new StdioTalk(program)
    await talk.initialize()
    expect(await saidBy(talk, 'take')).toBe('done')
    for (const { headers } of upstream.received) {
      expect(headers.authorization).toBe('Bearer key-from-the-environment')
      expect(headers['x-team']).toBe('blue')
    }
    program.endInput()
    expect(await program.ended()).toEqual({ code: 0, signal: null })
    expect(program.err).not.toContain('key-from-the-environment')
  })

  test('ends with one line that names a variable that is not set', async () => {
    const ended = await space.run([
      ...['wrap', '--policy', 'policy.json', '--upstream', 'http://127.0.0.1:9/mcp'],
      ...['--header', `Authorization: ${reference('NOT_SET')}`],
    ])
    expect(ended.code).toBe(2)
    expect(ended.errLines).toHaveLength(1)
    expect(ended.err).toContain('`NOT_SET`')
  })

  test('answers every request, and ends with 1, where nothing listens', async () => {
    allow('take')
    const talk = new StdioTalk(
      space.start(['wrap', '--policy', 'policy.json', '--upstream', 'http://127.0.0.1:9/mcp']),
    )
    const answer = await talk.initialize()
    expect(answer.error?.data?.code).toBe('upstream_unreachable')
    talk.program.endInput()
    expect((await talk.program.ended()).code).toBe(1)
  })
})

test('a policy edit is in force for a client of wrap without a restart', async () => {
  allow('line')
  const talk = wrap()
  await talk.initialize()
  expect((await talk.call('line')).result?.isError).toBeUndefined()
  space.file('policy.json', { version: '1', default: 'deny' })
  await talk.program.event('config.swapped')
  expect((await talk.call('line')).result?.isError).toBe(true)
})
