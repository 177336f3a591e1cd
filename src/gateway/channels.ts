import type { ListedKind } from '../core/mcp/capabilities.ts'
import type { ListMethod } from '../core/mcp/list.ts'
import type { Grant, LoadedPolicy } from '../core/snapshot.ts'
import type { Catalogue } from './catalogue.ts'
import type { Caller, Gate } from './gate.ts'
import { isChanged, isSamePolicy, LISTS_OF, policyMark } from './list-changes.ts'
import { fillIn } from './refresh.ts'

/** A way on which a client can be told, while it is open, that what it may see has changed. */
export interface Channel {
  /** In whose era and session the server may be asked for its lists. */
  readonly caller: Caller
  readonly kinds: readonly ListedKind[]
  /** Of several channels of one reader the newest is used; what the reader knows outlives them. */
  readonly reader: object
  /** The mark of the policy that the reader knew before this process; undefined when there was none. */
  readonly since?: string | undefined
  /** The reader's grant as it is now; undefined when it is no more. */
  grant(): Grant | undefined
  tell(kind: ListedKind): void
}

/** The channels that are open, and what their readers were last shown. */
export class Channels {
  /** By reader, the newest last. */
  readonly #open = new Map<object, Channel[]>()
  readonly #shown = new WeakMap<object, { policy: LoadedPolicy | undefined }>()

  /** Opens a channel; what changed for its reader since its last one was closed is told at once. Gives what closes it. */
  open(gate: Gate, channel: Channel): () => void {
    const { reader } = channel
    this.#open.set(reader, [...(this.#open.get(reader) ?? []), channel])
    if (this.#shown.has(reader)) void this.#compare(gate, channel, new Map()).catch(() => {})
    else this.#begin(gate, channel)
    return () => {
      const rest = (this.#open.get(reader) ?? []).filter((one) => one !== channel)
      if (rest.length === 0) this.#open.delete(reader)
      else this.#open.set(reader, rest)
    }
  }

  #begin(gate: Gate, channel: Channel): void {
    const policy = channel.grant()?.policy
    this.#shown.set(channel.reader, { policy })
    if (channel.since !== undefined && channel.since !== policyMark(policy))
      void this.#tellAll(gate, channel).catch(() => {})
  }

  /** What a policy showed that only an earlier process has seen, nobody can say any more. */
  async #tellAll(gate: Gate, channel: Channel): Promise<void> {
    const { catalogue } = channel.caller.server
    for (const kind of channel.kinds)
      for (const method of LISTS_OF[kind]) {
        if (catalogue.listed(method) === undefined) await fillIn(gate, channel.caller, method)
        if ((catalogue.listed(method)?.length ?? 0) === 0) continue
        this.#tell(channel, kind)
        break
      }
  }

  /** The configuration has changed: tells every reader which of its lists are others now. */
  async changed(gate: Gate): Promise<void> {
    // One look at a list serves all of its readers.
    const looks: Looks = new Map()
    const newest = [...this.#open.values()].flatMap((channels) => channels.slice(-1))
    await Promise.all(newest.map((channel) => this.#compare(gate, channel, looks)))
  }

  async #compare(gate: Gate, channel: Channel, looks: Looks): Promise<void> {
    const { reader, caller } = channel
    const grant = channel.grant()
    // A grant that is no more has its streams ended, and is told nothing.
    if (grant === undefined) return
    const before = this.#shown.get(reader)?.policy
    const after = grant.policy
    this.#shown.set(reader, { policy: after })
    if (isSamePolicy(before, after)) return
    for (const kind of channel.kinds)
      for (const method of LISTS_OF[kind])
        if (await isOther(gate, caller, method, [before, after], looks)) {
          this.#tell(channel, kind)
          break
        }
  }

  /** On the reader's newest channel, which may be another by now. */
  #tell({ reader }: Channel, kind: ListedKind): void {
    this.#open.get(reader)?.at(-1)?.tell(kind)
  }
}

/** Lists that are being looked at, by server and method. */
type Looks = Map<Catalogue, Map<ListMethod, Promise<boolean>>>

async function isOther(
  gate: Gate,
  caller: Caller,
  method: ListMethod,
  policies: Parameters<typeof isChanged>[2],
  looks: Looks,
): Promise<boolean> {
  const { catalogue } = caller.server
  if (catalogue.listed(method) === undefined) {
    const ofServer = looks.get(catalogue) ?? new Map<ListMethod, Promise<boolean>>()
    looks.set(catalogue, ofServer)
    const look = ofServer.get(method) ?? fillIn(gate, caller, method)
    ofServer.set(method, look)
    // Nobody can say what the reader sees: better that it asks once too often.
    if (!(await look)) return true
  }
  return isChanged(catalogue, method, policies)
}
