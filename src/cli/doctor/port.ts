import { createServer } from 'node:net'
import { type Finding, finder } from './finding.ts'

/** Is the port free, or is it a gateway that has it? */
export async function checkPort(host: string, port: number): Promise<Finding> {
  const { ok, fail } = finder('port')
  const shown = `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (port === 0) return ok('any free port is taken')
  const code = await tryListen(host, port)
  if (code === undefined) return ok(`${shown} is free`)
  if (code === 'EADDRINUSE') {
    if (await isGateway(host, port)) return ok(`a gateway is running at ${shown}`)
    return fail(
      `${shown} is taken by another program`,
      'stop it, or choose another port: `listen: { port: … }` or `--port`',
    )
  }
  if (code === 'EADDRNOTAVAIL')
    return fail(`this machine has no address ${host}`, 'set `listen.host` to 127.0.0.1')
  if (code === 'EACCES')
    return fail(`this user may not listen on ${shown}`, 'choose a port above 1023')
  return fail(`${shown} can not be listened on (${code})`, 'set `listen` to another address')
}

const tryListen = (host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })

async function isGateway(host: string, port: number): Promise<boolean> {
  const wild = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  const at = wild.includes(':') ? `[${wild}]` : wild
  try {
    const answer = await fetch(`http://${at}:${port}/healthz`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(2000),
    })
    return answer.status === 200 && (await answer.text()).trim() === 'alive'
  } catch {
    return false
  }
}
