/** One step of an RFC 6901 pointer. */
export const escapeToken = (token: string): string =>
  token.includes('~') || token.includes('/')
    ? token.replaceAll('~', '~0').replaceAll('/', '~1')
    : token

/** The pointer to a member or element below `pointer`. */
export const below = (pointer: string, token: string | number): string =>
  `${pointer}/${typeof token === 'number' ? token : escapeToken(token)}`
