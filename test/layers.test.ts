import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/** What the product's code of one layer may import, besides its own folder. */
interface LayerRules {
  readonly layers: readonly string[]
  readonly packages: readonly string[]
  /** True when it may use Node's own modules and globals. */
  readonly isOnNode: boolean
}

/** Who may import whom: everyone imports core, only cli imports everyone. */
const rules = {
  core: { layers: [], packages: ['re2js', 'yaml', 'zod'], isOnNode: false },
  store: { layers: ['core'], packages: ['kysely'], isOnNode: true },
  gateway: { layers: ['core'], packages: ['undici'], isOnNode: true },
  control: { layers: ['core'], packages: ['hono', '@hono/node-server', 'zod'], isOnNode: true },
  cli: {
    layers: ['core', 'store', 'gateway', 'control'],
    packages: ['undici', 'yaml'],
    isOnNode: true,
  },
} as const satisfies Record<string, LayerRules>
const layers = Object.keys(rules) as (keyof typeof rules)[]

const src = fileURLToPath(new URL('../src', import.meta.url))
const isProduct = (path: string): boolean => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path)

interface SourceFile {
  /** From src, with slashes. */
  readonly path: string
  readonly layer: string
  /** Without comments: prose may name what code may not use. */
  readonly code: string
  readonly imports: readonly string[]
}

/** The code with comments blanked; strings and templates stay as they are. */
const withoutComments = (text: string): string =>
  text.replace(
    /('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_, literal: string | undefined) => literal ?? ' ',
  )

const importsOf = (code: string): string[] =>
  [
    ...code.matchAll(/\b(?:import|export)\b[^'"`;=()]*?\bfrom\s*['"]([^'"]+)['"]/g),
    ...code.matchAll(/(?:^\s*import\s+|\bimport\(\s*)['"]([^'"\n]+)['"]/gm),
  ].map((m) => m[1] ?? '')

const files: readonly SourceFile[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter(isProduct)
  .map((path) => {
    const code = withoutComments(readFileSync(resolve(src, path), 'utf8'))
    return { path, layer: path.split('/', 1)[0] ?? '', code, imports: importsOf(code) }
  })

const filesOf = (layer: string): readonly SourceFile[] => files.filter((f) => f.layer === layer)

/** Where a relative import leads, from src. */
const target = (from: string, specifier: string): string =>
  relative(src, resolve(src, dirname(from), specifier)).replaceAll('\\', '/')

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const isNode = (specifier: string): boolean =>
  specifier.startsWith('node:') || builtinModules.includes(specifier)

/** Every place in a layer's code that matches, as `path: what stands there`. */
const places = (layer: string, pattern: RegExp): string[] =>
  filesOf(layer).flatMap(({ path, code }) =>
    [...code.matchAll(pattern)].map(([what]) => `${path}: ${what}`),
  )

test('every way to import is seen, and prose is not', () => {
  const code = withoutComments(`
    import { a } from 'a' // import { b } from 'b'
    import type { c } from "c"
    export * from './d.ts'
    import 'e'
    /* import 'f' */ const later = () => import('g')
    const text = { 'import': 'h // not a comment' }
    import {
      i,
    } from 'i/sub'
  `)
  expect(importsOf(code).toSorted()).toEqual(['./d.ts', 'a', 'c', 'e', 'g', 'i/sub'])
  expect(code).toContain('h // not a comment')
})

test('every folder of src is a layer of the table', () => {
  const folders = readdirSync(src, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
  expect(folders.toSorted()).toEqual([...layers].toSorted())
  expect(files.filter((f) => !layers.some((layer) => layer === f.layer))).toEqual([])
})

describe.each(layers)('%s', (layer) => {
  const allowed: LayerRules = rules[layer]

  test('has source files whose imports are seen', () => {
    expect(filesOf(layer).length).toBeGreaterThan(5)
    expect(filesOf(layer).some((f) => f.imports.length > 0)).toBe(true)
  })

  test('imports only the layers that it may', () => {
    const wrong = filesOf(layer).flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => target(path, specifier))
        .filter((to) => ![layer, ...allowed.layers].includes(to.split('/', 1)[0] ?? ''))
        .map((to) => `${path} imports ${to}`),
    )
    expect(wrong).toEqual([])
  })

  test('imports only the packages that it may, and each of them', () => {
    const packages = filesOf(layer).flatMap(({ imports }) =>
      imports.filter((s) => !s.startsWith('.') && !isNode(s)).map(packageOf),
    )
    expect([...new Set(packages)].toSorted()).toEqual([...allowed.packages].toSorted())
  })

  test('names modules of Node with their prefix, where it may use them', () => {
    const builtins = filesOf(layer).flatMap(({ path, imports }) =>
      imports.filter(isNode).map((specifier) => ({ path, specifier })),
    )
    const wrong = builtins.filter(
      ({ specifier }) => !allowed.isOnNode || !specifier.startsWith('node:'),
    )
    expect(wrong).toEqual([])
  })

  test('imports files with their extension, and never a test', () => {
    const wrong = filesOf(layer).flatMap(({ path, imports }) =>
      imports
        .filter((s) => s.startsWith('.'))
        .filter((s) => !/\.(tsx?|json)$/.test(s) || !isProduct(s))
        .map((s) => `${path} imports ${s}`),
    )
    expect(wrong).toEqual([])
  })

  test('writes nothing through the console', () => {
    expect(places(layer, /\bconsole\b\s*[.[]/g)).toEqual([])
  })

  test('is a project of its own that leaves its tests out', () => {
    const file = resolve(src, layer, 'tsconfig.json')
    expect(existsSync(file)).toBe(true)
    const config = JSON.parse(readFileSync(file, 'utf8')) as {
      exclude?: string[]
      references?: { path: string }[]
      compilerOptions?: { types?: string[] }
    }
    expect(config.exclude).toContain('./**/*.test.ts')
    expect(config.references?.map((r) => r.path).toSorted()).toEqual(
      allowed.layers.map((name) => `../${name}`).toSorted(),
    )
    if (!allowed.isOnNode) expect(config.compilerOptions?.types).toEqual([])
  })
})

test('the whole of src is compiled', () => {
  const config = JSON.parse(readFileSync(resolve(src, '../tsconfig.json'), 'utf8')) as {
    references: { path: string }[]
  }
  const referenced = config.references.map((r) => r.path)
  for (const layer of layers) expect(referenced).toContain(`src/${layer}`)
})

describe('core is handed what it can not know', () => {
  test('it reads no clock', () => {
    expect(places('core', /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)/g)).toEqual([])
    expect(places('core', /\bperformance\s*\.|\bset(?:Timeout|Interval|Immediate)\b/g)).toEqual([])
  })

  test('it makes nothing up', () => {
    expect(places('core', /\bMath\.random\b|\bcrypto\s*\./g)).toEqual([])
  })

  test('it touches no process, network or buffer', () => {
    expect(places('core', /\bprocess\.|\bfetch\(|\bBuffer\b|\brequire\(/g)).toEqual([])
  })
})

test('the wall clock is read in few places, each of them at the rim', () => {
  const readers = (['gateway', 'control'] as const).flatMap((layer) =>
    places(layer, /\bDate\.now\b|\bnew Date\(\s*\)/g),
  )
  expect(readers).toEqual([])
})

test('the environment is read by the program alone', () => {
  const readers = (['core', 'store', 'control'] as const).flatMap((layer) =>
    places(layer, /\bprocess\.env\b/g),
  )
  expect(readers).toEqual([])
})
