import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { build, type Metafile } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = new URL('../', import.meta.url)
const folder = new URL('test/cases/policy/', root)
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const)

let code = ''
let metafile: Metafile
beforeAll(async () => {
  const result = await build({
    stdin: {
      contents: `
        export * from './src/core/policy/index.ts'
        export { parseCases, runCase } from './src/core/policy/cases.ts'
      `,
      resolveDir: fileURLToPath(root),
      loader: 'ts',
    },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'policy',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  code = result.outputFiles[0]?.text ?? ''
  metafile = result.metafile
})

/** Runs every case of every file; the last expression is what a page or a context gives back. */
const run = `
  JSON.stringify(files.flatMap(([file, text]) => policy.parseCases(text).map((c) => {
    const { name, differences } = policy.runCase(c)
    return { name: file + ': ' + name, differences }
  })).reduce((sum, r) => ({
    count: sum.count + 1,
    failed: r.differences.length === 0 ? sum.failed : [...sum.failed, r],
  }), { count: 0, failed: [] }))
`

test('the policy engine imports nothing of Node', () => {
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports)
  expect(imports.filter((i) => i.path.startsWith('node:') || i.external)).toEqual([])
  expect(code).not.toMatch(/from\s*"node:|require\("node:/)
})

test('every case holds without any global of Node', () => {
  const context = createContext({ files: JSON.parse(JSON.stringify(files)) as unknown })
  const found = runInContext(
    `['process', 'require', 'Buffer', 'console', 'global', 'setTimeout'].filter((name) => name in globalThis)`,
    context,
  ) as string[]
  // `console` is V8's own and writes nowhere; nothing else of Node is within reach.
  expect([...found].filter((name) => name !== 'console')).toEqual([])
  const result = JSON.parse(String(runInContext(`${code};${run}`, context))) as {
    count: number
    failed: unknown[]
  }
  expect(result.failed).toEqual([])
  expect(result.count).toBeGreaterThan(300)
})

const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'
const page = mkdtempSync(join(tmpdir(), 'policy-browser-'))
afterAll(() => rmSync(page, { recursive: true, force: true }))

test.skipIf(!existsSync(chromium))(
  'every case holds in a real browser (needs CHROMIUM or /usr/bin/chromium)',
  { timeout: 60_000 },
  () => {
    const html = join(page, 'index.html')
    writeFileSync(join(page, 'policy.js'), code)
    const data = JSON.stringify(files).replaceAll('<', '\\u003c')
    writeFileSync(
      html,
      `<!doctype html><meta charset="utf-8"><body><pre id="out">not run</pre>
      <script src="policy.js"></script>
      <script>const files = ${data}; document.getElementById('out').textContent = ${run}</script>`,
    )
    const dom = execFileSync(
      chromium,
      [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        `--user-data-dir=${join(page, 'profile')}`,
        '--dump-dom',
        pathToFileURL(html).href,
      ],
      { encoding: 'utf8', timeout: 50_000, stdio: ['ignore', 'pipe', 'ignore'] },
    )
    const text = /<pre id="out">([\s\S]*?)<\/pre>/.exec(dom)?.[1] ?? ''
    const result = JSON.parse(
      text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
    ) as {
      count: number
      failed: unknown[]
    }
    expect(result.failed).toEqual([])
    expect(result.count).toBeGreaterThan(300)
  },
)
