/**
 * How a stack names what its members offer: `{server}__{name}` for tools, prompts and tasks, and
 * `{server}+{uri}` for resources. Both can be taken apart again without knowing the members.
 */

const SIGN = '__'
/** Hosts of MCP Apps only take URIs of this scheme for their views. */
const VIEW = 'ui://'
/** Put before a member whose name can't begin a URI scheme; no encoded name holds two dots. */
const DIGIT_FIRST = 'x..'

/** A name that a stack gave, taken apart. */
export interface Named {
  readonly member: string
  readonly name: string
}

/**
 * What is wrong with a server as a member of a stack: `a` + `__` + `_b` would be `a_` + `__` + `b`.
 */
export const wrongMember = (name: string): string | undefined =>
  name.includes(SIGN) || name.endsWith('_')
    ? `a server whose name holds \`${SIGN}\` or ends with \`_\` can't be in a stack: \`{server}${SIGN}{tool}\` could be read in two ways`
    : undefined

/** The name of a member's tool, prompt or task in the stack. */
export const joinName = (member: string, name: string): string => `${member}${SIGN}${name}`

/** Takes a name apart; undefined when no member can be meant. */
export function splitName(text: string): Named | undefined {
  // INVARIANT: no member's name holds the sign or ends with half of it, so the first one is it.
  const at = text.indexOf(SIGN)
  return at <= 0 ? undefined : { member: text.slice(0, at), name: text.slice(at + SIGN.length) }
}

/** A member's name in the characters of a URI scheme. */
const toScheme = (member: string): string => {
  const safe = member.replaceAll('_', '.')
  return /^\d/.test(safe) ? DIGIT_FIRST + safe : safe
}

const fromScheme = (scheme: string): string =>
  (scheme.startsWith(DIGIT_FIRST) ? scheme.slice(DIGIT_FIRST.length) : scheme).replaceAll('.', '_')

/** The URI, or URI template, of a member's resource in the stack. */
export const joinUri = (member: string, uri: string): string =>
  uri.startsWith(VIEW)
    ? VIEW + joinName(member, uri.slice(VIEW.length))
    : `${toScheme(member)}+${uri}`

/** Takes a URI apart; undefined when no member can be meant. */
export function splitUri(text: string): Named | undefined {
  if (text.startsWith(VIEW)) {
    const view = splitName(text.slice(VIEW.length))
    return view === undefined ? undefined : { member: view.member, name: VIEW + view.name }
  }
  const at = text.indexOf('+')
  if (at <= 0) return undefined
  const member = fromScheme(text.slice(0, at))
  const name = text.slice(at + 1)
  // One resource has one name: what we would write differently is not ours.
  return joinUri(member, name) === text ? { member, name } : undefined
}
