import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadFiles } from '../src/cli/load.ts'
import { parseCases, runCase } from '../src/core/policy/cases.ts'
import { loadPolicy } from '../src/core/policy/load.ts'

const read = (path: string): string => readFileSync(path, 'utf8')
const casesFiles = globSync('examples/**/*cases.yaml', { exclude: ['**/.sallyport/**'] }).sort()
const policyFiles = globSync('examples/**/{policy.*,policies/*}', {
  exclude: ['**/.sallyport/**'],
})
  .filter((path) => !path.endsWith('cases.yaml'))
  .sort()
const configFiles = globSync('examples/*/sallyport.yaml').sort()

/** The policy that a cases file speaks of: `cases.yaml` of `policy.*`, `x.cases.yaml` of `x.*`. */
const policyOf = (casesFile: string): string => {
  const stem = basename(casesFile) === 'cases.yaml' ? 'policy' : basename(casesFile, '.cases.yaml')
  const found = policyFiles.filter(
    (path) => dirname(path) === dirname(casesFile) && basename(path).startsWith(`${stem}.`),
  )
  return found.length === 1 && found[0] !== undefined ? found[0] : `no one policy of ${casesFile}`
}

describe('the examples', () => {
  test('are found', () => {
    expect(casesFiles.length).toBeGreaterThanOrEqual(8)
    expect(configFiles.length).toBeGreaterThanOrEqual(2)
  })

  test('every policy has cases', () => {
    expect(casesFiles.map(policyOf).sort()).toEqual(policyFiles)
  })

  test.each(policyFiles)('%s loads', (path) => {
    const loaded = loadPolicy(read(path))
    expect(loaded.ok ? [] : loaded.problems).toEqual([])
  })

  test('the imaging policy is the one that the gate is judged by', () => {
    expect(JSON.parse(read('examples/healthimaging/policy.json'))).toEqual({
      version: '1',
      default: 'deny',
      tools: {
        start_dicom_export_job: {
          limits: [
            {
              counter: 'start_dicom_export_job_rate',
              window: 'minute',
              max: 10,
              scope: 'grant',
            },
          ],
        },
      },
    })
  })

  test.each(configFiles)('%s is valid with its policies', (path) => {
    // Whatever variable a file asks for, it gets a value that could be a token, each its own.
    const names = [...read(path).matchAll(/\$\{([A-Z_]+)/g)].flatMap(([, name]) => name ?? [])
    const env = Object.fromEntries(names.map((name) => [name, `${name}-0123456789abcdef`]))
    const loaded = loadFiles(join(process.cwd(), path), env)
    expect(loaded.ok ? [] : loaded.problems).toEqual([])
  })
})

describe.each(casesFiles)('%s', (path) => {
  const policy = read(policyOf(path))
  for (const each of parseCases(read(path)))
    test(each.name, () => {
      expect(runCase({ ...each, policy }).differences).toEqual([])
    })
})
