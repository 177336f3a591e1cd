/** What of our own environment a child may see: what programs need to start, and no credential. */
const inherited: readonly string[] = [
  'HOME',
  'PATH',
  'SHELL',
  'TERM',
  'USER',
  'LOGNAME',
  'LANG',
  'TMPDIR',
  'TZ',
  // Windows
  'APPDATA',
  'COMSPEC',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'PATHEXT',
  'PROCESSOR_ARCHITECTURE',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'PROGRAMFILES(X86)',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'TEMP',
  'TMP',
  'USERNAME',
  'USERPROFILE',
  'WINDIR',
]

const allowed = new Set(inherited)

/** The environment of a child: the few variables of ours that it needs, then what is configured. */
export function childEnvironment(
  ours: Readonly<Record<string, string | undefined>>,
  configured: Readonly<Record<string, string>>,
): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(ours)) {
    // Bash exports functions as variables whose value starts with `()`: code, not a setting.
    if (value === undefined || value.startsWith('()')) continue
    const upper = name.toUpperCase()
    if (allowed.has(upper) || upper.startsWith('LC_')) out[name] = value
  }
  return Object.assign(out, configured)
}

/**
 * The environment of a server that a client has started through us: all of ours, since the client
 * set it for that server, without what is addressed to the gateway itself.
 */
export function handedEnvironment(
  ours: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(ours))
    if (value !== undefined && !name.toUpperCase().startsWith('SALLYPORT_')) out[name] = value
  return out
}
