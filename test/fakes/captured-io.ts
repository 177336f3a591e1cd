import { PassThrough } from 'node:stream'
import type { Io } from '../../src/cli/command.ts'

/** The world of a command, with what it wrote. */
export interface CapturedIo extends Io {
  readonly out: () => string
  readonly err: () => string
}

/** A command's world that is kept in memory. */
export function capturedIo(
  more: { env?: Record<string, string>; cwd?: string; isTty?: boolean; now?: () => number } = {},
): CapturedIo {
  const stream = () => {
    const chunks: string[] = []
    const through = Object.assign(new PassThrough(), { isTTY: more.isTty === true })
    through.on('data', (chunk) => chunks.push(String(chunk)))
    return { through, text: () => chunks.join('') }
  }
  const [out, err] = [stream(), stream()]
  return {
    stdin: new PassThrough() as unknown as NodeJS.ReadStream,
    stdout: out.through as unknown as NodeJS.WriteStream,
    stderr: err.through as unknown as NodeJS.WriteStream,
    env: more.env ?? {},
    cwd: more.cwd ?? '/',
    now: more.now ?? (() => 0),
    out: out.text,
    err: err.text,
  }
}
