import type { Instant } from '../../core/instant.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { EraMeans } from './eras.ts'
import { askLegacy, askModern, type ModernVerdict } from './probe.ts'

/** What a transport noticed: the server is not there (any more), or it refused a request. */
export type TroubleKind = 'gone' | 'refused'

/** Where a transport tells of trouble, for whoever has learned something of that server. */
export interface Trouble {
  note(kind: TroubleKind): void
  onNote: (kind: TroubleKind) => void
}

/** A place for trouble that nobody listens at yet. */
export function createTrouble(): Trouble {
  const trouble: Trouble = {
    onNote() {},
    note: (kind) => trouble.onNote(kind),
  }
  return trouble
}

/** What is known of the eras that a server speaks. */
export interface EraKnowledge {
  /** Does it speak the stateless era? Undefined when it must be asked. */
  modern(): boolean | undefined
  /** Does it open sessions? Undefined when nobody has tried. */
  legacy(): boolean | undefined
  /** Asks the server; true when stateless requests are to reach it as they are. Never rejects. */
  learn(): Promise<boolean>
  /** True when the last answer of `learn` was the server's own word. */
  isSure(): boolean
  sawLegacy(isSpoken: boolean): void
  /** Ends what is being asked. */
  close(): Promise<void>
}

/** A server may be replaced by one that speaks more, and nothing would ever fail because of it. */
const HORIZON_MS = 10 * 60_000
/** A verdict that a refusal throws doubt on is looked at again, not more often than this. */
const DOUBT_MS = 5_000
/** A server that says no to both eras is asked again after this: it may only have been starting. */
const UNSURE_MS = 60_000

/** How long a sibling may take to end before the server that was asked for is started. */
const SIBLING_MS = 1_000

interface Verdict {
  readonly isSpoken: boolean
  readonly isSure: boolean
  readonly at: Instant
}

/** Knowledge of one server: learned when it is first needed, and again when it may be out of date. */
export function createEraKnowledge(inner: Upstream, means: EraMeans): EraKnowledge {
  const { clock, entry, log, trouble } = means
  const pin = entry.era === 'auto' ? undefined : entry.era
  let modern: Verdict | undefined
  let legacy: Verdict | undefined
  let isDoubted = false
  let running: Promise<boolean> | undefined
  let sibling: Upstream | undefined

  trouble.onNote = (kind) => {
    if (kind === 'refused') isDoubted = true
    else {
      modern = undefined
      legacy = undefined
    }
  }

  const isOld = ({ at, isSure }: Verdict): boolean => {
    const age = clock.now() - at
    // A process is the same program for as long as it is configured.
    if (isDoubted) return age >= DOUBT_MS
    if (!isSure) return age >= UNSURE_MS
    return means.openSibling === undefined && age >= HORIZON_MS
  }

  async function find(): Promise<boolean> {
    const { openSibling } = means
    const verdict = await (openSibling === undefined ? askRemote(inner) : askSibling(openSibling))
    // What could not be asked gets the request as it is: it fails, or answers, in its own words.
    if (verdict === 'silent') return modern?.isSpoken ?? true
    const isSpoken = verdict !== 'legacy'
    modern = { isSpoken, isSure: verdict !== 'neither', at: clock.now() }
    isDoubted = false
    log('info', { event: 'upstream.probed', upstream: entry.name, speaks: verdict })
    return isSpoken
  }

  /** Some servers end over a request before `initialize`, so the one that is asked serves nobody. */
  async function askSibling(open: () => Upstream): Promise<EraVerdict> {
    sibling = open()
    const verdict = await askModern(sibling, 'process')
    // A server may hold what only one of its kind can hold; one that won't end is not waited for.
    const limit = new Promise<void>((resolve) => setTimeout(resolve, SIBLING_MS).unref())
    await Promise.race([closeSibling(), limit])
    return ERA_OF[verdict]
  }

  async function closeSibling(): Promise<void> {
    const asked = sibling
    sibling = undefined
    await asked?.close().catch(() => {})
  }

  function learn(): Promise<boolean> {
    running ??= find().finally(() => {
      running = undefined
    })
    return running
  }

  return {
    modern() {
      if (pin !== undefined) return pin !== 'legacy'
      // The request that notices goes by what is known; the ones after it by what is learned.
      if (modern !== undefined && isOld(modern)) void learn()
      return modern?.isSpoken
    },
    legacy() {
      if (pin !== undefined) return pin !== 'modern'
      return legacy === undefined || isOld(legacy) ? undefined : legacy.isSpoken
    },
    learn: () => (pin === undefined ? learn() : Promise.resolve(pin !== 'legacy')),
    isSure: () => pin !== undefined || modern?.isSure === true,
    sawLegacy(isSpoken) {
      legacy = { isSpoken, isSure: true, at: clock.now() }
    },
    close: closeSibling,
  }
}

/** What a server speaks, as far as it matters to a stateless client; `neither` when it says no to all. */
type EraVerdict = 'modern' | 'legacy' | 'neither' | 'silent'

async function askRemote(inner: Upstream): Promise<EraVerdict> {
  const verdict = await askModern(inner, 'remote')
  if (verdict === 'spoken') return 'modern'
  if (verdict === 'silent') return 'silent'
  return (await askLegacy(inner)) ? 'legacy' : 'neither'
}

const ERA_OF = {
  spoken: 'modern',
  'not spoken': 'legacy',
  silent: 'silent',
} as const satisfies Record<ModernVerdict, EraVerdict>
