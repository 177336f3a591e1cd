import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of the package that a bundled file belongs to; undefined for our own files. */
const packageFolder = (input: string): string | undefined =>
  /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input.replaceAll('\\', '/'))?.[0]

/** The folders of all packages that contributed files to a bundle, sorted. */
export const bundledPackages = (inputs: readonly string[]): readonly string[] =>
  [...new Set(inputs.flatMap((input) => packageFolder(input) ?? []))].toSorted()

function notice(folder: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as { name: string; version: string; license?: string }
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    .toSorted()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim())
  // A package whose terms we can't pass on must not be shipped.
  if (texts.length === 0) throw new Error(`no licence text in ${folder}: it can not be bundled`)
  const head = `${name} ${version} (${license ?? 'see below'})`
  return `${head}\n${'-'.repeat(head.length)}\n\n${texts.join('\n\n')}\n`
}

/** The names, versions and licence texts of everything that a bundle took from other packages. */
export const thirdPartyLicences = (inputs: readonly string[]): string =>
  [
    'Sallyport is distributed with code of the packages below, each under its own licence.\n',
    ...bundledPackages(inputs).map(notice),
  ].join('\n\n')
