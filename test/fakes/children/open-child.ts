/** A process that opens the stores and the key of a data directory, and says what came of it. */
import { openKey } from '../../../src/store/key-file.ts'
import { openStores } from '../../../src/store/open.ts'

const [, , dataDir = '', uid] = process.argv
// Only now: the program itself may lie where that user can not read.
if (uid !== undefined) {
  process.setgid?.(Number(uid))
  process.setuid?.(Number(uid))
}
try {
  const key = openKey(dataDir)
  const stores = await openStores({ dataDir })
  process.stdout.write(`opened ${key.toString('hex')}\n`)
  await stores.close()
} catch (error) {
  process.stdout.write(`${error instanceof Error ? `${error.name}: ${error.message}` : 'failed'}\n`)
}
