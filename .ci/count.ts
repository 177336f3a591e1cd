/**
 * Sums the reports of the tests and the attack cases into one line, `N passed, N failed`. A report
 * that is missing, a run that ended badly without a failed test, and a skip that nobody allowed
 * count as failures.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** Skips that are meant, with the reason; every other one is a failure. */
const ALLOWED: readonly { readonly test: RegExp; readonly why: string }[] = [
  {
    test: /over stdio, one process for all.* lets the server ask in a session/,
    why: 'a shared pipe does not say which session a question is for, so it is declined',
  },
  {
    test: /over HTTP\+SSE in the modern era /,
    why: 'HTTP+SSE is older than the stateless era',
  },
  {
    test: /with sessions over a stateless process (lets the server ask in a session|brings what belongs to no request)/,
    why: 'a stateless server asks within its answer, and tells of changes only after a subscription',
  },
  {
    test: /^SDK 2 without a session .* what belongs to no request is heard$/,
    why: 'without a session a client subscribes, which has tests of its own',
  },
]

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

interface CasesReport {
  readonly total: { readonly pass: number; readonly FAIL: number; readonly skip: number }
}

interface Count {
  readonly passed: number
  readonly failures: readonly string[]
}

const read = <T>(file: string): T | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    return undefined
  }
}

function countTests(report: VitestReport | undefined): Count {
  if (report === undefined) return { passed: 0, failures: ['the tests left no report'] }
  const failures: string[] = []
  let passed = 0
  for (const file of report.testResults) {
    let failed = 0
    for (const { fullName, status } of file.assertionResults) {
      if (status === 'passed') passed++
      else if (status === 'failed') {
        failed++
        failures.push(fullName)
      } else if (!ALLOWED.some(({ test }) => test.test(fullName)))
        failures.push(`skipped without leave: ${fullName}`)
    }
    // A file that can't even be loaded has no tests to fail.
    if (file.status === 'failed' && failed === 0)
      failures.push(`${file.name}: ${file.message?.split('\n', 1)[0] ?? ''}`)
  }
  return { passed, failures }
}

function countCases(report: CasesReport | undefined): Count {
  if (report === undefined) return { passed: 0, failures: ['the attack cases left no report'] }
  const { pass, FAIL } = report.total
  return { passed: pass, failures: Array.from({ length: FAIL }, () => 'an attack case, see above') }
}

const endedBadly = (what: string, exit: string | undefined, { failures }: Count): Count =>
  exit === '0' || failures.length > 0
    ? { passed: 0, failures: [] }
    : { passed: 0, failures: [`${what} ended with exit code ${exit ?? '?'}`] }

const { values } = parseArgs({
  options: {
    tests: { type: 'string' },
    'tests-exit': { type: 'string' },
    cases: { type: 'string' },
    'cases-exit': { type: 'string' },
    'fuzz-exit': { type: 'string' },
  },
})
const tests = countTests(read(values.tests ?? ''))
const counts = [tests, endedBadly('npm test', values['tests-exit'], tests)]
if (values.cases !== undefined) {
  const cases = countCases(read(values.cases))
  counts.push(cases, endedBadly('the attack cases', values['cases-exit'], cases))
}
const nothing: Count = { passed: 0, failures: [] }
counts.push(endedBadly('fuzzing', values['fuzz-exit'], nothing))
const passed = counts.reduce((sum, c) => sum + c.passed, 0)
const failures = counts.flatMap((c) => c.failures)
for (const failure of failures) process.stdout.write(`failed: ${failure}\n`)
process.stdout.write(`${passed} passed, ${failures.length} failed\n`)
process.exitCode = failures.length === 0 ? 0 : 1
