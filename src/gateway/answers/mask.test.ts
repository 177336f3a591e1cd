import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { credentialsOf } from './credentials.ts'
import { createMask } from './mask.ts'

const SECRET = 'KEY-of/the+upstream=42'
const escaped = (text: string, by: (hex: string) => string): string =>
  [...text].map((c) => by(c.charCodeAt(0).toString(16).padStart(2, '0'))).join('')

const spellings: Readonly<Record<string, string>> = {
  'as it is': SECRET,
  'in Base64': Buffer.from(SECRET).toString('base64'),
  'in Base64 behind one byte': Buffer.from(`:${SECRET}`).toString('base64'),
  'in Base64 behind two bytes, for URLs': Buffer.from(`a:${SECRET}!`).toString('base64url'),
  'in hexadecimal': Buffer.from(SECRET).toString('hex'),
  'in a URL': encodeURIComponent(SECRET),
  'percent-encoded throughout': escaped(SECRET, (hex) => `%${hex}`),
  'escaped as JSON': escaped(SECRET, (hex) => `\\u00${hex}`),
  'escaped as JSON in JSON': escaped(SECRET, (hex) => `\\\\u00${hex}`),
  'with escaped slashes': SECRET.replaceAll('/', '\\/'),
  'in HTML': escaped(SECRET, (hex) => `&#x${hex};`),
}

const mask = createMask([SECRET])
const inPieces = (text: string, places: readonly number[]): string => {
  const body = mask?.body()
  const bytes = Buffer.from(text)
  const at = [...new Set(places.map((p) => p % (bytes.length + 1)))].toSorted((a, b) => a - b)
  const out = [0, ...at].map((from, i) => body?.push(bytes.subarray(from, at[i] ?? bytes.length)))
  return Buffer.concat([...out, body?.end()].map((b) => b ?? Buffer.alloc(0))).toString()
}

describe('a mask', () => {
  test.each(Object.entries(spellings))('writes over a credential %s', (_, spelt) => {
    const text = `{"a":"é before ${spelt} behind"}`
    const out = mask?.text(text) ?? ''
    expect(out).toHaveLength(text.length)
    expect(out).toMatch(/^\{"a":"é before .*\*{8,}.* behind"\}$/)
    expect(out).not.toContain(spelt.slice(4, -4))
    // However it is cut on its way, and of the same length in bytes.
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 6 }), (places) => {
        expect(inPieces(text, places)).toBe(out)
      }),
      { numRuns: 50 },
    )
  })

  test('leaves everything else as it came', () => {
    const text = '{"text":"KEY-of/the+upstream=41 100% \\u0041 é\u2028"}'
    expect(mask?.text(text)).toBe(text)
    expect(inPieces(text, [3, 20, 41])).toBe(text)
  })

  test('looks for nothing where nothing is secret, and not for words', () => {
    expect(createMask([])).toBeUndefined()
    expect(createMask(['admin', ''])).toBeUndefined()
  })
})

describe('the credentials of a server', () => {
  test('are what its headers, its URL and its environment hold by name or by looks', () => {
    const target = {
      kind: 'http',
      transport: 'auto',
      url: 'https://mcp.example/x?api_key=key-in-the-url&page=1',
      headers: {
        Authorization: 'Bearer the-bearer',
        'X-Tenant-Id': 'tenant-of-acme',
        'X-Other': 'a8f5f167f44f4964e6c998de',
      },
    } as const
    const found = credentialsOf(target)
    for (const secret of ['the-bearer', 'key-in-the-url', 'a8f5f167f44f4964e6c998de'])
      expect(found).toContain(secret)
    expect(found).not.toContain('tenant-of-acme')
    expect(
      credentialsOf({
        kind: 'stdio',
        command: 'x',
        args: ['--verbose', '--token=sk_live_4eC39HqLyjWDarjtT1zdp7dc'],
        env: { GITHUB_TOKEN: 'ghp_short', LANG: 'en_US.UTF-8' },
        cwd: undefined,
        instances: 'session',
      }),
    ).toEqual(expect.arrayContaining(['ghp_short', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc']))
  })

  test('of Basic are the password alone too', () => {
    const pair = Buffer.from('user:pass-word-1').toString('base64')
    const found = credentialsOf({
      kind: 'http',
      transport: 'auto',
      url: 'https://a/',
      headers: { Authorization: `Basic ${pair}` },
    })
    expect(found).toEqual(expect.arrayContaining([pair, 'user:pass-word-1', 'pass-word-1']))
  })
})
