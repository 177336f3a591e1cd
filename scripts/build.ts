/** Bundles the program into dist/: one entry that checks Node, everything else in chunks beside it. */
import { rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { thirdPartyLicences } from './licences.ts'

// A running gateway may still load its chunks: only a release starts from an empty folder.
if (process.argv.includes('--clean')) rmSync('dist', { recursive: true, force: true })
const { metafile } = await build({
  entryPoints: {
    main: 'src/cli/main.ts',
    index: 'src/core/index.ts',
    policy: 'src/core/policy/index.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  chunkNames: 'chunks/[name]-[hash]',
  banner: {
    // CommonJS dependencies in an ESM bundle still ask for require.
    js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
})
// What is inside the bundle travels with its licence.
writeFileSync('dist/THIRD_PARTY_LICENSES.txt', thirdPartyLicences(Object.keys(metafile.inputs)))
// Plain old syntax: this file must run, and say why it stops, on any Node.
writeFileSync(
  'dist/cli.js',
  `#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write('sallyport needs Node 22.19 or newer, this is ' + process.versions.node + '; install a newer Node, or use the clone, which brings its own (npm ci && npm start)\\n')
  process.exit(2)
} else {
  import('./main.js')
}
`,
  { mode: 0o755 },
)
