import type { Category } from '../policy/model.ts'
import { baseForms, wordSet } from './words.ts'

/** What a verb says of the tool. A verb that is as often a noun is not plain, and says less. */
export interface Verb {
  readonly word: string
  readonly category: Category
  readonly isPlain: boolean
}

const plain = {
  Read: `get fetch list read retrieve describe search find show view inspect lookup
    count analyze analyse summarize summarise validate verify check explain compare calculate
    compute estimate aggregate discover recommend suggest preview examine enumerate
    download scrape crawl extract parse detect diagnose audit lint convert translate transcribe
    recognize recognise simulate predict forecast is has can whoami ping peek tail
    poll wait watch identify classify explore determine measure rank decode encode hash
    display print see head obtain gather introspect infer locate geocode
    research ask think reflect visualize visualise render plot draw screenshot observe trace
    echo help grep glob ls cat stat dir tell lists research
    interpret assess look decode validates correlate diff glean understand
    debug troubleshoot paginate detail review identify decompile
    disassemble solve generate suggest outline quantify`,
  Write: `create update add set edit write insert upsert put patch append save upload rename move
    copy clone fork duplicate assign unassign attach detach link unlink tag untag label unlabel
    archive unarchive close reopen merge push commit send reply share unshare invite
    grant enable disable toggle subscribe unsubscribe register mark unmark pin unpin star unstar
    follow unfollow like unlike react upvote downvote vote acknowledge snooze mute unmute approve
    reject submit configure modify change replace increment decrement incr decr adjust store
    remember annotate draft compose tweet notify bookmark
    favorite favourite import join leave accept decline assume transition escalate
    reassign reprioritize reorder rearrange lock unlock ingest
    setup onboard offboard hide unhide dismiss ignore
    finalize make associate disassociate bind unbind rotate renew enroll
    mutate unpublish customize touch mkdir chmod chown allow block unblock upgrade install
    login logout authenticate signin signup reschedule propose
    instantiate promote demote track untrack redo stage unstage
    prepend define declare populate seed memorize cc
    message dm announce broadcast whitelist allowlist denylist blacklist save confirm
    initialize bump claim unclaim author tune`,
  Execute: `run execute exec invoke start stop restart reboot deploy redeploy trigger launch shutdown
    shut boot pause resume suspend unpause scale rollout rollback kick dispatch eval evaluate spawn
    interrupt click dblclick tap press navigate goto hover drag swipe fill keypress rerun retry
    replay apply provision bootstrap init transact operate automate orchestrate
    compile cordon uncordon drain failover hibernate wake abort halt unsuspend control actuate
    activate deactivate switch goback act interact drive power arm disarm play skip
    impersonate sudo ssh attack exploit bruteforce inject fuzz train finetune backtest`,
  Destructive: `delete remove destroy drop purge wipe erase terminate revoke truncate flush clear
    uninstall deregister unregister kill burn deprovision nuke expunge decommission trash discard
    evict delist deletes rm rmdir del reset overwrite flushall flushdb teardown obliterate
    void annul rescind shred prune expire invalidate undeploy demolish
    undefine cancel forget cleanup ban unprovision disband deauthorize
    scrub bulkdelete`,
  Financial: `pay buy sell purchase refund charge payout withdraw deposit swap stake unstake donate
    reimburse disburse remit repay invest topup tip redeem borrow lend prepay liquidate bid`,
} satisfies Record<Category, string>

/** As often nouns as verbs, or verbs whose effect lies in their object. */
const ambiguous = {
  Read: `query select scan report monitor view access log map browse plan
    match filter sort survey trend score stream benchmark quote lookup
    profile format snapshot export open load prepare connect resolve
    collect dump provide return learn route`,
  Write: `post comment manage track sync book schedule release issue sign complete index
    record organize transfer cache rate backup publish ack pull group star
    mirror extend request migrate mint position crop resize optimize fix
    undo repair respond email text handoff remediate feedback
    reserve checkout note bulk process`,
  Execute: `test call build action type scroll forward go restore
    do job handle command batch work
    capability lifecycle operation browser agent mission chain
    fire recover sleep dial speak loop`,
  Destructive: `cut clean dispose detonate`,
  Financial: `trade bridge capture settle`,
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
