import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { loadCasePolicy, type PolicyCase, parseCases } from './cases.ts'
import { policySchema } from './schema.ts'

const folder = new URL('../../../test/cases/policy/', import.meta.url)
const cases: readonly PolicyCase[] = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml') && name !== 'intercept.yaml')
  .flatMap((name) => parseCases(readFileSync(new URL(name, folder), 'utf8')))
  .filter((c) => typeof c.policy !== 'string')

const plain = (value: unknown): unknown => {
  try {
    return JSON.parse(JSON.stringify(value)) as unknown
  } catch {
    return undefined // an exact number has no double, so that no validator can be shown it
  }
}

const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).compile(
  policySchema(),
)

/** Rules that speak of several values, or of what a text means: no schema can hold them. */
const beyond =
  /RE2|another `|no limit of this policy|time zone|longer than|decimals|increment_from|days|there twice|no arguments|reads an argument|can not have|`367d`/
test('every policy that loads satisfies the schema', () => {
  for (const c of cases)
    if (loadCasePolicy(c).ok) {
      const isValid = validate(plain(c.policy))
      expect(isValid, `${c.name}: ${JSON.stringify(validate.errors?.[0])}`).toBe(true)
    }
})

test('every policy that is refused for its shape breaks the schema', () => {
  let seen = 0
  for (const c of cases) {
    const loaded = loadCasePolicy(c)
    if (loaded.ok || loaded.problems.every((p) => beyond.test(`${p.message} ${p.hint ?? ''}`)))
      continue
    const document = plain(c.policy)
    if (document === undefined) continue
    seen++
    expect(validate(document), c.name).toBe(false)
  }
  expect(seen).toBeGreaterThan(60)
})

test('the schema has the published address and is JSON', () => {
  const schema = policySchema()
  expect(schema.$id).toBe('https://sallyport.dev/schema/policy.v1.json')
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
})
