import { describe, expect, test } from 'vitest'
import { capturedIo } from '../../test/fakes/captured-io.ts'
import { commands, type Listed } from './commands/index.ts'
import { run } from './run.ts'

const names = Object.keys(commands)

/** Runs a command line; gives exit code and what was written. */
async function ran(line: string | string[], env: Record<string, string> = {}) {
  const io = capturedIo({ env })
  const code = await run(typeof line === 'string' ? line.split(' ').filter(Boolean) : line, io)
  return { code, out: io.out(), err: io.err() }
}

describe('help', () => {
  test('of the program lists every command', async () => {
    const { code, out } = await ran('--help')
    expect(code).toBe(0)
    expect(out).toMatchSnapshot()
    for (const name of names) expect(out).toContain(`  ${name} `)
  })
  test.each(names)('of `%s` names its flags and shows an example', async (name) => {
    const { code, out, err } = await ran(`${name} --help`)
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatchSnapshot()
    const listed: Listed = commands[name as keyof typeof commands]
    const { command } = await listed.load()
    for (const flag of Object.keys(command.flags)) expect(out).toContain(`--${flag}`)
    expect(command.examples.length).toBeGreaterThan(0)
    for (const [example] of command.examples)
      expect(`${example} `).toMatch(new RegExp(`^${name.replace('revoke', 'rm')} `))
  })
  test('of a group lists its commands', async () => {
    expect((await ran('policy --help')).out).toContain('policy validate')
    expect(await ran('help policy validate')).toEqual(await ran('policy validate --help'))
  })
})

describe('wrong usage is one line on stderr and exit code 2', () => {
  test.each([
    ['polcy', 'unknown command `polcy`; did you mean `policy`?'],
    ['zzzzzz', 'unknown command `zzzzzz`; `sallyport --help` lists them'],
    ['--confg x', 'unknown flag `--confg`; `sallyport --help` lists the commands'],
    ['policy', '`policy` needs one of: validate, explain, import, schema, add, list, show, rm'],
    ['policy valdate', 'unknown command `policy valdate`; did you mean `validate`?'],
    [
      'policy validate',
      '`policy validate` needs FILE… [--json]; `sallyport policy validate --help` shows how',
    ],
    [
      'policy schema x',
      '`policy schema` does not take `x`; `sallyport policy schema --help` shows how',
    ],
    [
      'policy validate --jsn f',
      'unknown flag `--jsn` of `policy validate`; did you mean `--json`?',
    ],
    ['policy validate --json=1 f', '`--json` takes no value'],
    ['policy explain --tool t', '`policy explain` needs `--policy FILE`'],
    ['policy explain --policy p', '`policy explain` needs `--tool NAME`'],
    [
      'policy explain --policy',
      '`--policy` needs a value; `sallyport policy explain --help` shows how',
    ],
    [
      'policy explain --policy --json',
      '`--policy` needs a value; write `--policy=--json` if it begins with a dash',
    ],
    ['policy explain --policy p --tool t --args [', '`--args` is not JSON: expected a JSON value'],
    [
      'policy explain --policy p --tool t --args []',
      '`--args` needs a JSON object, as `{"amount": 900}`',
    ],
    [
      'policy explain --policy p --tool t --at noon',
      '`--at` needs a date (`2027-01-31`) or a time with its zone (`2027-01-31T09:00:00Z`)',
    ],
    ['policy explain --policy p --tool t --grant-tag x', 'a tag is written K=V, as `team=imaging`'],
    ['grant add', '`grant add` needs LABEL (--server NAME | --stack NAME)'],
    ['grant add x', '`grant add` needs `--server NAME`'],
    [
      'grant add x --server s --expires soon',
      '`--expires` needs a duration (`30d`, `12h`) or a date (`2027-01-31`)',
    ],
    ['grant add x --server s --server s', '`--server` stands there twice'],
    ['grant show', '`grant show` needs LABEL'],
    ['grant list --url nonsense', '`--url` needs a URL, as `http://127.0.0.1:7400`'],
    ['server add x', '`server add` needs either `--upstream URL` or a command after `--`'],
    [
      'server add x --upstream http://h -- c',
      '`server add` needs either `--upstream URL` or a command after `--`',
    ],
    ['server add x --upstream http://h --header hunter2', '`--header` needs NAME:VALUE'],
    ['log --effect no', '`--effect` is allow, deny or approve, not `no`'],
    ['log --since ever', '`--since` needs a duration (`1h`, `7d`) or a date (`2027-01-31`)'],
    ['log extra', '`log` does not take `extra`'],
    ['doctor --help=1', '`--help` takes no value'],
  ])('%s', async (line, want) => {
    const { code, out, err } = await ran(line, { SALLYPORT_ADMIN_TOKEN: 'x' })
    expect(err).toMatch(/^sallyport: [^\n]*\n$/)
    expect(err).toContain(want)
    expect([code, out]).toEqual([2, ''])
    expect(err).not.toContain('hunter2')
  })
  test('no words at all show the overview', async () => {
    const { code, err } = await ran('')
    expect(code).toBe(2)
    expect(err).toContain('Usage  sallyport <command> [flags]')
  })
  test('what was typed can not forge lines', async () => {
    const { err } = await ran(['x\n\u001b[2J'])
    expect(err).toBe(
      'sallyport: unknown command `x\\u000a\\u001b[2J`; `sallyport --help` lists them\n',
    )
  })
})

test('the version is that of the package', async () => {
  expect((await ran('--version')).out).toMatch(/^sallyport \d+\.\d+\.\d+\n$/)
})

test('colours are for terminals that want them', async () => {
  const shown = async (isTty: boolean, env: Record<string, string>): Promise<boolean> => {
    const io = capturedIo({ isTty, env })
    await run(['--help'], io)
    return io.out().includes('\u001b[')
  }
  expect(await shown(true, {})).toBe(true)
  expect(await shown(true, { NO_COLOR: '1' })).toBe(false)
  expect(await shown(true, { TERM: 'dumb' })).toBe(false)
  expect(await shown(false, {})).toBe(false)
})
