/** What core's users must provide. Types only: `store` implements them, `gateway` and `control` use them. */
import type { Instant } from './instant.ts'
import type { Demand, Reservation } from './quota/demand.ts'
import type { DecisionRecord } from './record/record.ts'

/** Counts what was consumed. Every implementation passes `test/contract/counter-store.ts`. */
export interface CounterStore {
  /** Takes every demand or none of them, in one atomic step. Rejects when the store does not answer. */
  reserve(demands: readonly Demand[], at: Instant): Promise<Reservation>
  /** It was used. Never rejects: unsettled, it stays counted until its window ends. */
  settle(id: string): void
  /** It was not used: given back. Never rejects. */
  release(id: string): void
  /** What is consumed now, in millionths of a unit, without reserving. */
  peek(demands: readonly Demand[], at: Instant): Promise<readonly bigint[]>
}

/** Filter and page of a listing of records; newest first. */
export interface RecordQuery {
  readonly limit: number
  /** Records strictly older than the one with this id. */
  readonly before?: string
  /** Records strictly newer than the one with this id, oldest first: to follow. */
  readonly after?: string
  readonly since?: Instant
  readonly server?: string
  readonly tool?: string
  readonly effect?: string
  readonly grant?: string
}

/** Keeps decision records. `put` never blocks a call; what does not fit its bound is counted as dropped. */
export interface RecordStore {
  put(record: DecisionRecord): void
  /** Resolves when everything put so far is durable; rejects when it can't be. */
  flush(): Promise<void>
  list(query: RecordQuery): Promise<readonly DecisionRecord[]>
  /** Records lost since the start, because the store did not take them in time. */
  dropped(): number
}

/** The kinds of things that the admin API makes and the store keeps. */
export type NounKind = 'server' | 'policy' | 'grant' | 'stack'

/** A stored thing: its JSON document, with identity and version. */
export interface StoredNoun {
  readonly kind: NounKind
  /** UUIDv7. */
  readonly id: string
  readonly name: string
  /** The document as JSON text; its shape belongs to `core/contract`. */
  readonly document: string
  readonly version: number
  readonly createdAt: Instant
  readonly updatedAt: Instant
}

/** Keeps what is made through the admin API. */
export interface NounStore {
  list(): Promise<readonly StoredNoun[]>
  /** Creates or replaces by kind and name; gives what is now stored (its version one higher). */
  put(noun: { kind: NounKind; name: string; document: string; at: Instant }): Promise<StoredNoun>
  /** True when something was there to remove. */
  remove(kind: NounKind, name: string): Promise<boolean>
  /** A number that changes whenever any process has changed anything; cheap to ask often. */
  revision(): number
}

/** The time: milliseconds since the epoch. */
export interface Clock {
  now(): Instant
}
