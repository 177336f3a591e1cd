/**
 * Drops the one warning that Node prints when `node:sqlite` is first loaded; every other warning
 * is shown. Call it before anything that loads the store.
 */
export function silenceSqliteWarning(host: Pick<NodeJS.Process, 'emitWarning'>): void {
  const emit = host.emitWarning
  host.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    const [type] = rest
    const name = typeof type === 'object' && type !== null && 'type' in type ? type.type : type
    const text = typeof warning === 'string' ? warning : warning.message
    if (name === 'ExperimentalWarning' && /^SQLite is an experimental feature\b/.test(text)) return
    Reflect.apply(emit, host, [warning, ...rest])
  }) as typeof host.emitWarning
}
