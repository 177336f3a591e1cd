import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import { bundledPackages, thirdPartyLicences } from '../scripts/licences.ts'

const root = new URL('../', import.meta.url)
const text = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** Package → layers that import it, from the import statements of the product's code. */
const imported = new Map<string, Set<string>>()
for (const path of readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })) {
  if (!/\.tsx?$/.test(path) || /\.test\.tsx?$/.test(path)) continue
  const source = text(`src/${path}`)
  for (const [, specifier = ''] of source.matchAll(/\bfrom '([^'\n.][^'\n]*)'$/gm)) {
    if (specifier.startsWith('node:')) continue
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier
    imported.set(name, (imported.get(name) ?? new Set()).add(path.split(/[\\/]/, 1)[0] ?? ''))
  }
}

const rows = [
  ...text('docs/dependencies.md').matchAll(/^\| `([^`]+)` \| ([a-z, ]+) \| (.+) \|$/gm),
].map(([, name = '', layers = '', why = '']) => ({ name, layers: layers.split(', '), why }))

let inputs: readonly string[] = []
beforeAll(async () => {
  const { metafile } = await build({
    entryPoints: ['src/cli/main.ts', 'src/core/index.ts', 'src/core/policy/index.ts'],
    absWorkingDir: new URL('.', root).pathname,
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  inputs = Object.keys(metafile.inputs)
})

test('docs/dependencies.md lists what the source imports, where, and nothing else', () => {
  const listed = Object.fromEntries(rows.map((r) => [r.name, r.layers.toSorted()]))
  const used = Object.fromEntries([...imported].map(([name, by]) => [name, [...by].toSorted()]))
  expect(listed).toEqual(used)
  for (const { why } of rows) expect(why).toMatch(/\bNot\b/)
})

test('nothing comes into the bundle that docs/dependencies.md does not list', () => {
  const bundled = bundledPackages(inputs).map((folder) => folder.replace(/^.*node_modules\//, ''))
  expect(bundled).toEqual(rows.map((r) => r.name).toSorted())
})

test('every bundled package is named with its licence text', () => {
  const notices = thirdPartyLicences(inputs)
  for (const { name } of rows)
    expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((?:MIT|ISC)\\)$`, 'm'))
  expect(notices.match(/permission notice/gi)?.length).toBeGreaterThanOrEqual(rows.length)
})

test('a package without a licence text is not bundled', () => {
  expect(() => thirdPartyLicences(['node_modules/no-such-package/index.js'])).toThrow()
  expect(thirdPartyLicences(['src/cli/main.ts'])).not.toMatch(/MIT|ISC/)
})

test('the published package has no dependencies', () => {
  const manifest = JSON.parse(text('package.json')) as Record<string, object>
  for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies'])
    expect(Object.keys(manifest[kind] ?? {})).toEqual([])
  for (const { name } of rows) expect(manifest.devDependencies).toHaveProperty([name])
})

test('every link inside the documents leads somewhere', () => {
  const documents = readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path}`)
    .concat(readdirSync(root).filter((path) => path.endsWith('.md')))
  const broken = documents.flatMap((path) =>
    [...text(path).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .filter(([, link = '']) => !existsSync(new URL(link, new URL(path, root))))
      .map(([, link]) => `${path}: ${link}`),
  )
  expect(broken).toEqual([])
})
