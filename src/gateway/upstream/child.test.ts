import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { Conversation } from '../../../test/fakes/conversation.ts'
import { openStdio, SCRIPTED } from '../../../test/fakes/stdio-upstream.ts'
import { until } from '../../../test/fakes/until.ts'
import { onOneLine } from './child.ts'

/** A process that has ended may stay in the table until its new parent asks after it. */
const isZombie = (pid: number): boolean => {
  try {
    return /\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch {
    return false
  }
}

const opened: { close(): Promise<void> }[] = []
const open = (...args: Parameters<typeof openStdio>) => {
  const one = openStdio(...args)
  opened.push(one)
  return one
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
})

const short = { bounds: { stdinGraceMs: 50, termGraceMs: 50 } }

describe('a child process', () => {
  test('that is not on PATH is named, with what mends it', async () => {
    const { upstream, events } = open({ command: 'no-such-program' })
    const failure = await new Conversation(upstream, 'legacy').open().catch((error) => error)
    expect(failure.code).toBe('upstream_unreachable')
    expect(failure.detail).toBe(
      '`no-such-program` was not found on PATH; install it, or give its full path',
    )
    expect(events.map((e) => e.event)).toContain('upstream.failed')
  })

  test('that may not be executed is named', async () => {
    const { upstream } = open({ command: SCRIPTED })
    const failure = await new Conversation(upstream, 'legacy').open().catch((error) => error)
    expect(failure.detail).toContain('may not be executed')
  })

  test('whose folder does not exist is not blamed on its command', async () => {
    const { upstream } = open({ cwd: '/nowhere/at/all' })
    const failure = await new Conversation(upstream, 'legacy').open().catch((error) => error)
    expect(failure.detail).toBe('its working directory does not exist')
  })

  test('ends by itself when its stdin is closed, and is not killed', async () => {
    const { upstream, close } = open({}, { bounds: { stdinGraceMs: 60_000 } })
    await new Conversation(upstream, 'legacy').open()
    await close()
  })

  test('that ignores stdin and SIGTERM is killed', async () => {
    const { upstream, close } = open({}, short)
    const client = await new Conversation(upstream, 'legacy').open()
    const pid = Number((await client.call('pid')).said)
    await client.call('stubborn')
    await close()
    expect(isAlive(pid)).toBe(false)
  })

  test('takes what it started with it, however it ends', async () => {
    const { upstream, close } = open({}, short)
    const [kept, killed] = await Promise.all([
      new Conversation(upstream, 'legacy').open(),
      new Conversation(upstream, 'legacy').open(),
    ])
    const grandchildren = await Promise.all(
      [kept, killed].map(async (client) => Number((await client.call('grandchild')).said)),
    )
    process.kill(Number((await killed.call('pid')).said), 'SIGKILL')
    await until(() => !isAlive(grandchildren[1] ?? 0), 'the grandchild of the killed one to end')
    await close()
    await until(() => grandchildren.every((pid) => !isAlive(pid)), 'both grandchildren to end')
  })

  test('does not outlive a gateway that exits without closing anything', async () => {
    const fakes = fileURLToPath(new URL('../../../test/fakes/', import.meta.url))
    const script = `
      import { openStdio } from ${JSON.stringify(`${fakes}stdio-upstream.ts`)}
      import { Conversation } from ${JSON.stringify(`${fakes}conversation.ts`)}
      const client = await new Conversation(openStdio().upstream, 'legacy').open()
      await client.call('stubborn')
      const pids = [(await client.call('pid')).said, (await client.call('grandchild')).said]
      process.stdout.write(JSON.stringify(pids), () => process.exit(0))`
    const gateway = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    gateway.stdout.on('data', (chunk) => {
      text += chunk
    })
    await once(gateway, 'close')
    const pids = (JSON.parse(text) as string[]).map(Number)
    expect(pids.length).toBe(2)
    await until(() => pids.every((pid) => !isAlive(pid)), 'both processes to end')
  })

  test('sees the minimal environment and what is configured', async () => {
    const { upstream } = open(
      { env: { REGION: 'here' } },
      { environment: { PATH: process.env.PATH, SECRET: 'no' } },
    )
    const client = await new Conversation(upstream, 'legacy').open()
    const environment = JSON.parse((await client.call('environment')).said)
    expect(environment.REGION).toBe('here')
    expect(environment.SECRET).toBeUndefined()
  })

  test('has its stderr logged line by line', async () => {
    const { upstream, events } = open()
    const client = await new Conversation(upstream, 'legacy').open()
    await client.call('stderr', { text: 'one\nt\u001bwo\n' })
    const said = () => events.flatMap((e) => (e.event === 'upstream.said' ? [e.line] : []))
    await until(() => said().length === 2, 'two lines')
    expect(said()).toEqual(['one', 't\\u{1b}wo'])
  })
})

test('a message that was sent on several lines goes out on one', () => {
  expect(Buffer.from(onOneLine(Buffer.from('{\r\n "a": 1\n}'))).toString()).toBe('{   "a": 1 }')
})
