/**
 * The process groups that must not outlive this process. State of the module, because the exit of
 * the process is one event however many upstreams there are.
 */
const groups = new Map<number, NodeJS.Timeout | undefined>()

const killGroup = (pid: number): void => {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // it has gone already
  }
}

const killAll = (): void => {
  for (const pid of groups.keys()) killGroup(pid)
}

/** From now on the group is killed when this process exits, however it comes to exit. */
export function rememberGroup(pid: number): void {
  if (groups.size === 0) process.on('exit', killAll)
  groups.set(pid, undefined)
}

/** Its leader has ended: what is left of the group is killed after the grace, and forgotten. */
export function forgetGroup(pid: number, graceMs: number): void {
  const drop = (): void => {
    killGroup(pid)
    groups.delete(pid)
    if (groups.size === 0) process.off('exit', killAll)
  }
  if (process.platform === 'win32') {
    groups.delete(pid)
    return
  }
  clearTimeout(groups.get(pid))
  try {
    process.kill(-pid, 0)
    groups.set(pid, setTimeout(drop, graceMs).unref())
  } catch {
    groups.delete(pid)
    if (groups.size === 0) process.off('exit', killAll)
  }
}
