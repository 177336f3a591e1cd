import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { callText, requestText } from '../../../test/fakes/frames.ts'
import { until } from '../../../test/fakes/until.ts'

const PROGRAM = fileURLToPath(new URL('../../../test/fakes/stdio-gateway.ts', import.meta.url))

function run(...command: readonly string[]) {
  const program = spawn(process.execPath, [PROGRAM, ...command], { stdio: 'pipe' })
  let out = ''
  let err = ''
  program.stdout.on('data', (chunk) => {
    out += chunk
  })
  program.stderr.on('data', (chunk) => {
    err += chunk
  })
  const closed = once(program, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const lines = () =>
    out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  const answered = (id: unknown) => until(() => lines().some((m) => m.id === id), `answer ${id}`)
  const send = (text: string) => program.stdin.write(`${text}\n`)
  const initialize = async (): Promise<void> => {
    send(requestText('init', 'initialize', { protocolVersion: '2025-11-25', capabilities: {} }))
    await answered('init')
    send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  }
  return { program, closed, lines, answered, send, initialize, err: () => err }
}

describe('a program that lives and dies with the server', () => {
  test('ends with 0 when the client closes its stdin, after finishing what was asked', async () => {
    const { program, send, initialize, closed, lines } = run()
    await initialize()
    send(callText(1, 'split', { text: 'x'.repeat(2_000) }))
    program.stdin.end()
    expect(await closed).toEqual([0, null])
    expect(lines().at(-1).id).toBe(1)
  })

  test('ends with the code of a server that ends by itself, and says so in one line', async () => {
    const { send, initialize, closed, lines, err } = run()
    await initialize()
    send(callText(1, 'silent'))
    send(callText(2, 'die', { code: 7 }))
    expect(await closed).toEqual([7, null])
    expect(err()).toBe("the server's process exited with code 7\n")
    expect(
      lines()
        .filter((m) => m.error !== undefined)
        .map((m) => m.id),
    ).toEqual([1, 2])
  })

  test('does not end with 0 when requests were lost', async () => {
    const { send, initialize, closed } = run()
    await initialize()
    send(callText(1, 'die', { code: 0 }))
    expect(await closed).toEqual([1, null])
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'dies of %s as the server does',
    async (signal) => {
      const { program, initialize, closed } = run()
      await initialize()
      program.kill(signal)
      expect(await closed).toEqual([null, signal])
    },
  )

  test('dies of a signal that the server ignores', async () => {
    const { program, send, initialize, closed, answered } = run()
    await initialize()
    send(callText(1, 'stubborn'))
    await answered(1)
    program.kill('SIGTERM')
    expect(await closed).toEqual([null, 'SIGTERM'])
  })

  test('tells of a server that was killed by the code that a shell would give', async () => {
    const { send, initialize, closed, err } = run()
    await initialize()
    send(callText(1, 'crash'))
    expect(await closed).toEqual([137, null])
    expect(err()).toBe("the server's process was ended by SIGKILL\n")
  })

  test('answers a client whose server can not be started, and ends with 1', async () => {
    const { program, initialize, closed, lines } = run('no-such-program')
    await initialize()
    program.stdin.end()
    expect(await closed).toEqual([1, null])
    expect(lines()[0].error.message).toContain('`no-such-program` was not found on PATH')
  })

  test('dies of a signal before any server was started', async () => {
    const { program, send, answered, closed } = run()
    send('no frame, so that something comes back')
    await until(() => program.stdout.readableFlowing === true, 'the program to run')
    send(callText('early', 'line'))
    await answered('early')
    program.kill('SIGTERM')
    expect(await closed).toEqual([null, 'SIGTERM'])
  })
})
