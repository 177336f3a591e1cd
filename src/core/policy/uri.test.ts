import { describe, expect, test } from 'vitest'
import { compileGlob } from './glob.ts'
import { canonicalPattern, readUri } from './uri.ts'

const canonical = (uri: string): string | undefined => readUri(uri)?.canonical

describe('a URI', () => {
  test.each([
    ['FILE:///etc/%70asswd', 'file:///etc/passwd'],
    ['file:/etc/passwd', 'file:///etc/passwd'],
    ['file://localhost/etc/passwd', 'file:///etc/passwd'],
    ['file://LocalHost./etc//passwd', 'file:///etc/passwd'],
    ['HTTP://Example.COM:80/A/%7Eb', 'http://example.com/A/~b'],
    ['https://example.com.:443/x', 'https://example.com/x'],
    ['https://user@Example.com/x', 'https://user@example.com/x'],
    ['note:///%E6%97%A5', 'note:///日'],
    ['note:///e\u0301', 'note:///\u00e9'],
    ['a:///x%20y', 'a:///x y'],
    ['plain-name', 'plain-name'],
    ['db://h/t?q=%41#f', 'db://h/t?q=A#f'],
    ['test://Template/{ID}/data', 'test://template/{ID}/data'],
  ])('%s is %s', (uri, want) => {
    expect(canonical(uri)).toBe(want)
  })

  test.each([
    'file:///etc/./passwd',
    'file:///pub/../etc/passwd',
    'file:///pub/%2e%2e/etc/passwd',
    'file:///pub/.%2E/etc/passwd',
    'file:///pub/..',
    '../etc/passwd',
    'file:///pub%2f..%2fetc/passwd',
    'file:///etc%5Cpasswd',
    'file:///etc\\passwd',
    'file:///etc/passwd%00.txt',
    'file:///etc/passwd\0',
    'file:///etc/%2570asswd',
    'file:///etc/%2',
    'file:///etc/pass\u200bwd',
    'file:///etc/pass%E2%80%8Bwd',
    'file:///etc\uff0fpasswd',
    ' file:///etc/passwd',
    'file:///etc/pass\nwd',
    `file:///${'a'.repeat(9000)}`,
  ])('%j has more than one reading', (uri) => {
    expect(readUri(uri)).toBeUndefined()
  })

  test.each([
    'file:///etc/passwd',
    'file:///etc/passwd/',
    'file:///etc/passwd?x=1',
    'file:///etc/passwd#x',
    'file:////etc///passwd',
    'FILE://localhost/etc/passwd?#',
  ])('%s may be read as what a rule denies', (uri) => {
    expect(readUri(uri)?.all).toContain('file:///etc/passwd')
  })

  test('of another scheme keeps its slashes, and is also read without them', () => {
    const readings = readUri('proxy://a//b')
    expect(readings?.canonical).toBe('proxy://a//b')
    expect(readings?.all).toContain('proxy://a/b')
  })
})

describe('a pattern', () => {
  test.each([
    ['File:///srv/%41*', 'file:///srv/A*'],
    ['file:/srv/*', 'file:///srv/*'],
    ['HTTPS://Example.com:443/*', 'https://example.com/*'],
    ['ui://*', 'ui://*'],
    ['*', '*'],
    ['note:*', 'note:*'],
  ])('%s is compared as %s', (pattern, want) => {
    expect(canonicalPattern(pattern)).toBe(want)
    expect(compileGlob(want)(want)).toBe(true)
  })
})
