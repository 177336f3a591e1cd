import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'

const command = process.env.IMAGING_COMMAND ?? ''
const isRequired = process.env.SALLYPORT_REQUIRE_IMAGING === '1'
const isSlow = process.env.SALLYPORT_SLOW === '1'
const script = 'examples/healthimaging/run.ts'

/** Runs the example to its end; its own assertions decide the exit code. */
function runExample(flags: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [script, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  return new Promise((done, failed) => {
    child.once('error', failed)
    child.once('close', (code) => done({ code, output }))
  })
}

describe('the imaging policy on the real server', () => {
  test('the server is there where it is required', () => {
    expect(command !== '' || !isRequired, 'SALLYPORT_REQUIRE_IMAGING=1 needs IMAGING_COMMAND').toBe(
      true,
    )
  })

  // Skipped where the Python package is not installed: npm can't bring it.
  test.skipIf(command === '')(
    isSlow
      ? 'ten calls a minute pass behind serve and behind wrap, the eleventh is denied, the next minute passes'
      : 'ten calls a minute pass behind serve and behind wrap, and the eleventh is denied',
    { timeout: 300_000 },
    async () => {
      const { code, output } = await runExample(isSlow ? [] : ['--quick'])
      expect(output).toContain('behind wrap')
      expect(output).toContain('everything held')
      expect(code, output).toBe(0)
    },
  )
})
