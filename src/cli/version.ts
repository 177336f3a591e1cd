import { readFileSync } from 'node:fs'

/** The version of this package, whether it runs from its sources or bundled. */
export function packageVersion(): string {
  for (let at = new URL('.', import.meta.url); ; at = new URL('..', at)) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL('package.json', at), 'utf8'))
      if (name === 'sallyport') return String(version)
    } catch {
      // Not here: further up.
    }
    if (at.pathname === '/' || new URL('..', at).href === at.href) return 'unknown'
  }
}
