import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StdioTalk } from '../fakes/mcp-stdio.ts'
import { CLI } from '../fakes/program.ts'
import { done, Space } from '../fakes/space.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const space = new Space()
const home = join(space.path, 'installed')
// The Node that runs the tests, also for npm and what it starts.
const env = {
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  npm_config_cache: join(space.path, 'npm-cache'),
  npm_config_update_notifier: 'false',
}
afterAll(() => space.close())

describe('the package', () => {
  beforeAll(async () => {
    // The build before the tests made dist/: packing again would take it away under other tests.
    const pack = ['npm', 'pack', '--ignore-scripts', '--pack-destination', space.path]
    expect((await done(space.startOther(pack, { cwd: ROOT, env }))).code).toBe(0)
    const tarball = readdirSync(space.path).find((name) => name.endsWith('.tgz')) ?? 'none'
    mkdirSync(home)
    const install = ['npm', 'install', '--offline', '--no-audit', '--no-fund', join('..', tarball)]
    const { code, err } = await done(space.startOther(install, { cwd: home, env }))
    expect(err).not.toContain('ERR!')
    expect(code).toBe(0)
  })

  test('installs alone: it brings everything that it needs', () => {
    expect(readdirSync(join(home, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(
      ['sallyport'],
    )
  })

  test('runs by its name', async () => {
    const version = await done(
      space.startOther(['npx', '--offline', 'sallyport', '--version'], { cwd: home, env }),
    )
    expect(version).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^sallyport \d+\.\d+\.\d+\n$/),
    })
  })

  test('denies a call through wrap', async () => {
    const policy = space.file('policy.json', { version: '1', default: 'deny' })
    const server = fileURLToPath(new URL('../fakes/scripted-server.ts', import.meta.url))
    const talk = new StdioTalk(
      space.startOther(
        [
          'npx',
          '--offline',
          'sallyport',
          'wrap',
          '--policy',
          policy,
          '--',
          process.execPath,
          server,
        ],
        { cwd: home, env: { ...env, SALLYPORT_DATA_DIR: space.dataDir } },
      ),
    )
    await talk.initialize()
    const { result } = await talk.call('pid')
    expect(result?.content?.[0]?.text).toMatch(/^\[POLICY DENIED\]/)
    talk.program.endInput()
    expect((await talk.program.ended()).code).toBe(0)
  })

  test('gives programs its policy engine', async () => {
    const program = `
      import { loadPolicy } from 'sallyport/policy'
      process.stdout.write(typeof loadPolicy)`
    const command = [process.execPath, '--input-type=module', '-e', program]
    expect(await done(space.startOther(command, { cwd: home, env }))).toMatchObject({
      code: 0,
      out: 'function',
    })
  })
})

/** A Node on the PATH that is older than what the program needs; undefined where there is none. */
function oldNode(): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((dir) => join(dir, 'node'))
    .find((node) => {
      const version = spawnSync(node, ['-v'], { encoding: 'utf8' }).stdout ?? ''
      const [, major = '99', minor = '0'] = /^v(\d+)\.(\d+)/.exec(version) ?? []
      return Number(major) < 22 || (Number(major) === 22 && Number(minor) < 19)
    })
}

test('an older Node is told what it takes, in one line, with exit code 2', async (context) => {
  const node = oldNode()
  if (node === undefined) return context.skip('there is no Node before 22.19 on this machine')
  const ended = await done(space.startOther([node, CLI, '--version']))
  expect(ended).toMatchObject({ code: 2, out: '' })
  expect(ended.errLines).toEqual([expect.stringMatching(/needs Node 22\.19 or newer.*install/)])
})
