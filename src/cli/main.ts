import { run } from './run.ts'
import { silenceSqliteWarning } from './silence.ts'

silenceSqliteWarning(process)
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `sallyport log | head`: the reader has gone, and that is no failure.
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  now: Date.now,
})
