import { ApiError } from '../core/contract/problem.ts'
import type { NounKind, StoredNoun } from '../core/ports.ts'
import type { RouteCall } from './route.ts'

/** What is stored of one kind, by name. */
export async function storedOf(
  call: RouteCall,
  kind: NounKind,
): Promise<ReadonlyMap<string, StoredNoun>> {
  const all = await stored(() => call.ports.nouns.list())
  return new Map(all.filter((noun) => noun.kind === kind).map((noun) => [noun.name, noun]))
}

/** Stores a thing and waits until it is in force here. */
export async function putNoun(
  call: RouteCall,
  noun: { kind: NounKind; name: string; document: string },
): Promise<StoredNoun> {
  const { nouns, changed, clock } = call.ports
  const made = await stored(() => nouns.put({ ...noun, at: clock.now() }))
  await changed()
  return made
}

/** Removes a thing and waits until that is in force here. */
export async function removeNoun(call: RouteCall, kind: NounKind, name: string): Promise<void> {
  if (!(await stored(() => call.ports.nouns.remove(kind, name)))) throw unknown(kind, name)
  await call.ports.changed()
}

/** The error for a thing that is not there. */
export const unknown = (kind: NounKind, key: string): ApiError =>
  new ApiError('noun_unknown', `no ${kind} \`${key.slice(0, 128)}\``)

/** The error for a thing that the file defines. */
export const fileOwned = (kind: NounKind, name: string): ApiError =>
  new ApiError('file_owned', `edit ${kind} \`${name}\` there: the file is followed`)

/** What the store answers; its failure is one that the caller may know of. */
export async function stored<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    const failed = new ApiError('store_failed')
    failed.cause = error
    throw failed
  }
}
