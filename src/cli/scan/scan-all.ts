import type { ServerEntry } from '../../core/snapshot.ts'
import { fileId } from '../config/secret.ts'
import { listServer, type Means } from './list-server.ts'
import { identityOf, judgeServer, type ScannedServer, type Subject } from './report.ts'

/** How many servers are started or asked at a time. */
const AT_ONCE = 8

/** Told as each server is done. */
export type Progress = (done: number, total: number, server: ScannedServer) => void

/** Scans servers, several at a time, in the order given. Never rejects. */
export async function scanAll(
  subjects: readonly Subject[],
  means: Means,
  progress: Progress,
): Promise<readonly ScannedServer[]> {
  const results: ScannedServer[] = []
  let next = 0
  let done = 0
  const worker = async (): Promise<void> => {
    for (let at = next++; at < subjects.length; at = next++) {
      const subject = subjects[at]
      if (subject === undefined) return
      const server = await scanOne(subject, means)
      results[at] = server
      progress(++done, subjects.length, server)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, subjects.length) }, worker))
  return results
}

async function scanOne(subject: Subject, means: Means): Promise<ScannedServer> {
  const entry: ServerEntry = {
    id: fileId('scan', subject.name),
    name: subject.name,
    target: subject.target,
    era: 'auto',
    methods: [],
    source: 'file',
  }
  const listing = await listServer(entry, means)
  if (listing.ok) return judgeServer(subject, listing)
  return { ...identityOf(subject), state: 'failed', reason: listing.reason }
}
