import type { Category } from '../policy/model.ts'
import { baseForms, wordSet } from './words.ts'

/** What a verb says of the tool. A verb that is as often a noun is not plain, and says less. */
export interface Verb {
  readonly word: string
  readonly category: Category
  readonly isPlain: boolean
}

const plain = {
  Read: `aggregate analyse analyze ask assess audit calculate can cat categorize check classify
    compare compute convert correlate count crawl debug decode decompile decrypt demonstrate
    describe detect determine diagnose diff dir disassemble discover display download draw
    echo encode enrich enumerate estimate examine explain explore extract fetch find
    forecast gather generate geocode get glean glob grep has hash head help identify infer
    inquire inspect interpret introspect is lint list locate lookup ls map measure normalize
    observe obtain outline paginate parse peek ping plot poll predict preview quantify rank
    read recall recognise recognize recommend reflect render rerank research retrieve roll
    sample sanitize scrape screenshot search show simulate solve stat suggest summarise
    summarize tail tell think tokenise tokenize trace transcribe translate troubleshoot
    understand validate verify view visualise visualize wait watch whoami`,
  Write: `accept acknowledge activate add adjust allowlist alter annotate announce append approve
    archive assign associate assume attach authenticate authorize backfill bind blacklist
    bookmark bump change chmod chown clone close commit compress configure copy create
    customize deactivate declare decline decompress decr decrement define demote denylist
    detach disable disassociate dismiss downvote duplicate edit enable encrypt enqueue
    enroll escalate favorite favourite finalize fork fulfil fulfill grant hide hire ignore
    import incr increment ingest initialize insert install instantiate invite join leave
    lock login logout memorize merge mkdir modify mutate mute notify offboard onboard patch
    prepend prescribe promote propose protect push put react rearrange reassign rebase redo
    register reindex reject remember rename renew reopen reorder replace reply reprioritize
    reschedule rotate rsvp save scaffold send set setup share ship signin signup silence
    snooze squash stash submit subscribe toggle transition tweet unarchive unassign unbind
    unblock unclaim unfollow unhide unlabel unlike unlink unlock unmark unmute unpin
    unprotect unpublish unshare unstage unstar unsubscribe untag untrack unzip update
    upgrade upload upsert upvote whitelist write zip`,
  Execute: `abort act actuate apply arm attack autofix automate backtest boot bootstrap brew bruteforce
    click compile cordon crack dblclick deploy disarm emulate dispatch drag drain eval evaluate exec
    execute exploit failover fill finetune fuzz goback goto halt hibernate hijack hover
    impersonate init inject interact interrupt invoke keypress kick kickoff launch navigate
    operate orchestrate pause press provision pwn reboot redeploy reload replay rerun
    restart resume retry rollback rollout run scale shut shutdown spawn ssh start stop sudo
    suspend swipe tap transact uncordon unpause unsuspend wake`,
  Destructive: `annul ban bulkdelete burn cancel cleanup clear deauthorize decommission del delete delist
    demolish deprovision dequeue deregister destroy disband discard drop empty erase evict
    expire expunge flush flushall flushdb forget invalidate kill lpop nuke obliterate
    overwrite pop prune purge remove rescind reset revoke rm rmdir rpop scrub shred spop
    teardown terminate trash truncate undefine undeploy uninstall unprovision unregister
    void wipe`,
  Financial: `airdrop bid borrow buy charge deposit disburse donate invest lend liquidate pay payout
    prepay purchase rebalance redeem refund reimburse remit repay sell stake swap tip topup
    unstake withdraw`,
} satisfies Record<Category, string>

/** As often nouns as verbs, or verbs whose effect lies in their object. */
const ambiguous = {
  Read: `access benchmark browse capture collect connect consume detail dump embed export filter
    format learn load log look match monitor open plan prepare print profile provide query
    quote refresh report resolve return review route scan score see select snapshot sort
    stream survey trend`,
  Write: `ack allocate author backup block book broadcast cache cc checkout claim comment complete
    compose confirm crop deallocate disconnect dm draft email extend feedback fix flag
    follow group handoff index issue label like link manage mark message mint mirror move
    note optimize organize paste pin place populate position post process produce publish
    pull rate reconcile record release remediate repair request reserve resize respond
    schedule seed settle sign stage star store sync tag text timeout touch track transfer
    undo unflag unwrap vote wrap`,
  Execute: `action bridge build call command control dial dim dock drive fire forward go handle migrate
    play power recover restore scroll skip sleep speak sweep switch test train trigger tune
    turn type vacuum`,
  Destructive: `clean cut detonate dispose`,
  Financial: `order trade`,
} satisfies Record<Category, string>

function verbTable(): ReadonlyMap<string, Verb> {
  const table = new Map<string, Verb>()
  for (const [lists, isPlain] of [
    [ambiguous, false],
    [plain, true],
  ] as const)
    for (const [category, list] of Object.entries(lists))
      for (const word of wordSet(list))
        table.set(word, { word, category: category as Category, isPlain })
  return table
}

const verbs = verbTable()

/** The verb that a word is, as it stands; undefined when it is none. */
export const findVerb = (word: string): Verb | undefined => verbs.get(word)

/** The verb that a word of a sentence is an inflection of; undefined when it is none. */
export function findInflected(word: string): Verb | undefined {
  for (const form of baseForms(word)) {
    const verb = verbs.get(form)
    if (verb !== undefined) return verb
  }
  return undefined
}
