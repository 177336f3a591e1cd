import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { commands, type Listed } from '../src/cli/commands/index.ts'
import { parseConfig } from '../src/cli/config.ts'
import { parseWords } from '../src/cli/run.ts'
import { loadPolicy } from '../src/core/policy/load.ts'
import { type FencedBlock, fencedBlocks } from './fakes/fenced-blocks.ts'

const readmes = ['README.md', 'examples/README.md', 'examples/healthimaging/README.md']
const pages = [...readmes, ...globSync('docs/*.md').sort()]
const blocks = pages.flatMap(fencedBlocks)
const at = ({ file, line }: FencedBlock): string => `${file}:${line}`
const named = (list: readonly FencedBlock[]) => list.map((block) => [at(block), block] as const)

type Tree = Readonly<Record<string, unknown>>
/** The value of a block that is data; undefined for a fragment. */
const dataOf = ({ language, text }: FencedBlock): Tree | undefined => {
  if (!['json', 'yaml'].includes(language)) return undefined
  try {
    const value: unknown = parse(text)
    return typeof value === 'object' && value !== null ? (value as Tree) : undefined
  } catch {
    return undefined
  }
}
const policies = blocks.filter((block) => dataOf(block)?.version === '1')
const configs = blocks.filter((block) => dataOf(block)?.version === 1)
const clients = blocks.filter((block) => {
  const data = dataOf(block)
  return data?.mcpServers !== undefined || data?.inputs !== undefined
})

test('every block of data in the readmes is read by a test', () => {
  const known = [...policies, ...configs, ...clients].map(at)
  const answers = blocks.filter((block) => dataOf(block)?.jsonrpc !== undefined).map(at)
  const data = blocks.filter(
    ({ file, language }) => readmes.includes(file) && ['json', 'yaml'].includes(language),
  )
  expect(data.map(at).filter((place) => ![...known, ...answers].includes(place))).toEqual([])
})

test.each(named(policies))('the policy at %s is valid', (_place, { text }) => {
  const loaded = loadPolicy(text)
  expect(loaded.ok ? [] : loaded.problems).toEqual([])
})

test.each(named(configs))('the configuration at %s is valid', (_place, { text }) => {
  const names = [...text.matchAll(/\$\{([A-Z_]+)/g)].flatMap(([, name]) => name ?? [])
  const env = Object.fromEntries(names.map((name) => [name, `${name}-0123456789abcdef`]))
  const read = parseConfig(text, { file: 'sallyport.yaml', env })
  expect(read.ok ? [] : read.problems).toEqual([])
})

interface ClientEntry {
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly command?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

describe.each(named(clients))('the client snippet at %s', (_place, block) => {
  const data = dataOf(block)
  const entries = Object.entries((data?.mcpServers ?? data?.servers) as Record<string, ClientEntry>)

  test.each(entries)('names a server that `npm start` serves, or a gate (%s)', async (_, entry) => {
    const { url, headers, command, args = [], env = {} } = entry
    if (url !== undefined) {
      expect(url).toBe('http://127.0.0.1:7400/mcp/files')
      expect(headers?.Authorization).toMatch(/^Bearer /)
      return
    }
    const wrap = args.indexOf('wrap')
    if (wrap < 0) {
      expect([command, ...args]).toEqual(expect.arrayContaining(['npx', 'mcp-remote']))
      const header = args[args.indexOf('--header') + 1] ?? ''
      const [, variable = ''] = /^Authorization:\$\{(\w+)\}$/.exec(header) ?? []
      expect(env[variable]).toMatch(/^Bearer /)
      return
    }
    const words = parseWords('wrap', (await commands.wrap.load()).command, args.slice(wrap + 1))
    expect(words.rest.length).toBeGreaterThan(0)
    const policy = words.text('policy')?.replace('/path/to/sallyport/', '') ?? ''
    expect(existsSync(policy), policy).toBe(true)
    expect(args[wrap - 1]?.endsWith('/dist/cli.js')).toBe(true)
  })
})

test('the snippet for Codex names a URL and a variable with the token', () => {
  const [toml] = blocks.filter(({ language }) => language === 'toml')
  expect(toml?.text).toMatch(
    /^\[mcp_servers\.[\w-]+\]\nurl = "http:\/\/127\.0\.0\.1:7400\/mcp\/files"/,
  )
  expect(toml?.text).toMatch(/^bearer_token_env_var = "[A-Z_]+"$/m)
})

/** The words of one shell line, as a shell reads them. */
const wordsOf = (line: string): readonly string[] =>
  execFileSync('sh', ['-c', `set -f; printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)

const ours = blocks
  .filter(({ language }) => ['sh', 'console', ''].includes(language))
  .flatMap((block) =>
    block.text.split('\n').flatMap((line) => {
      const [, rest] =
        /^(?:\$ |[A-Z_]+=\$\(|[A-Z_]+=\S+ )?(?:npx )?sallyport (.+?)\)?$/.exec(line) ?? []
      return rest === undefined ? [] : [[at(block), rest] as const]
    }),
  )

test('command lines of ours are found in the pages', () => {
  expect(ours.length).toBeGreaterThan(5)
})

test.each(ours)('at %s, `sallyport %s` is a command line of ours', async (_place, line) => {
  const words = wordsOf(line)
  const table: Readonly<Record<string, Listed>> = commands
  const name = [words.slice(0, 2).join(' '), words[0] ?? ''].find((n) => Object.hasOwn(table, n))
  const listed = name === undefined ? undefined : table[name]
  if (name === undefined || listed === undefined) throw new Error('no such command')
  const { command } = await listed.load()
  expect(() => parseWords(name, command, words.slice(name.split(' ').length))).not.toThrow()
})

const sessions = blocks.filter(
  ({ language, file }) => language === 'console' && readmes.includes(file),
)

test.each(named(sessions))('the session at %s prints what it says', (_place, { text }) => {
  const [command = '', ...output] = text.split('\n')
  const [npx, program, ...args] = wordsOf(command.replace(/^\$ /, ''))
  expect([npx, program]).toEqual(['npx', 'sallyport'])
  const ran = spawnSync(process.execPath, ['src/cli/main.ts', ...args], { encoding: 'utf8' })
  expect(ran.stderr).toBe('')
  expect(ran.stdout).toBe(output.join('\n'))
})

test.each(pages)('every link of %s leads somewhere', (page) => {
  const text = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '')
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)].flatMap(
    ([, target]) => target ?? [],
  )
  expect(targets.filter((target) => !existsSync(join(dirname(page), target)))).toEqual([])
})

test('the scripts that the readme names are there', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Tree }
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test']))
})
