/**
 * Where the gateway answers the wire probes otherwise than the reference server on the official SDK:
 * what it answers, and why. Everything else must be the same.
 */
export const DEVIATIONS: Readonly<Record<string, readonly [answer: string, why: string]>> = {
  ...forAll('an id that nobody could read is left out, for null is none', {
    'm.id-null': '400\terror -32600 id=undefined',
    'm.id-float': '400\terror -32600 id=undefined',
    'm.id-bigint': '400\terror -32600 id=undefined',
    'm.id-object': '400\terror -32600 id=undefined',
    'm.batch': '400\terror -32600 id=undefined',
    'm.bad-utf8': '400\terror -32700 id=undefined',
    'm.bad-json': '400\terror -32700 id=undefined',
    'm.empty-body': '400\terror -32700 id=undefined',
    'l.batch-empty': '400\terror -32600 id=undefined',
  }),
  ...forAll('refused before the body is read, so without its id', {
    'm.name-dup-header': '400\terror -32020 id=undefined',
    'm.text-plain': '415\terror -32600 id=undefined',
    'm.bad-host': '403\terror -32600 id=undefined',
  }),
  ...forAll('an id that could be read is repeated', {
    'l.list-no-session': '400\terror -32600 id=2',
    'l.list-bad-session': '404\terror -32600 id=2',
    'l.list-bad-version': '400\terror -32600 id=2',
    'l.after-DELETE': '404\terror -32600 id=30',
  }),
  ...forAll('two parsers could read it differently', {
    'm.dup-key-name': '400\terror -32600 id=undefined',
    'm.dup-key-name-rev': '400\terror -32600 id=undefined',
    'm.dup-key-method': '400\terror -32600 id=undefined',
    'm.case-key-Name': '400\terror -32600 id=1',
    'm.bom': '400\terror -32700 id=undefined',
    'm.deep-1000': '400\terror -32600 id=undefined',
  }),
  ...forAll('a page of another origin may not call', {
    'm.bad-origin': '403\terror -32600 id=undefined',
    'm.null-origin': '403\terror -32600 id=undefined',
  }),
  ...forAll('a batch is only for sessions of the one revision that has batches', {
    'l.batch-2': '400\terror -32600 id=null',
    'l.batch-2-on-1125': '400\terror -32600 id=undefined',
  }),
  ...forAll('HTTP verbs are told apart: browsers may ask, and nobody else', {
    'm.PUT': '405\terror -32600 id=undefined',
    'm.OPTIONS': '204\tempty',
    'l.GET-no-session': '405\terror -32600 id=undefined',
  }),
}

function forAll(
  why: string,
  answers: Readonly<Record<string, string>>,
): Record<string, readonly [string, string]> {
  return Object.fromEntries(
    Object.entries(answers).map(([probe, answer]) => [probe, [answer, why]]),
  )
}
