import type { Category } from '../policy/model.ts'
import type { Verb } from './verbs.ts'
import { wordSet } from './words.ts'

/** A verb whose effect depends on what it is done to. The first line that fits decides. */
interface ObjectRule {
  readonly verbs: ReadonlySet<string>
  readonly objects: ReadonlySet<string>
  readonly category: Category
  readonly isPlain: boolean
}

const rule = (verbs: string, objects: string, category: Category, isPlain = true): ObjectRule => ({
  verbs: wordSet(verbs),
  objects: wordSet(objects),
  category,
  isPlain,
})

const rules: readonly ObjectRule[] = [
  // Cancelling a job stops work; cancelling an agreement ends something that lasts.
  rule(
    'cancel abort',
    `job jobs run runs crawl task execution import export autoimport autoexport build scan query
     workflow pipeline download upload operation process session research migration transfer
     statement batch deployment rollout training generation update command`,
    'Execute',
  ),
  // What is dragged is dropped; nothing is deleted.
  rule('drop', 'drag dragged element onto', 'Execute'),
  rule('select', 'option dropdown browser puppeteer playwright element', 'Execute'),
  rule('type', 'browser puppeteer playwright text element key', 'Execute'),
  rule(
    'create close select new upload resize install open handle',
    'browser puppeteer playwright',
    'Execute',
  ),
  rule('close', 'page tab position positions', 'Execute'),
  rule('write send open paste', 'terminal shell tmux repl keystroke keystrokes', 'Execute'),
  rule('read write query', 'cypher sql soql', 'Execute'),
  rule('scan', 'port ports nmap host hosts network subnet', 'Execute'),
  rule('add', 'number numbers', 'Read'),
  rule('book', 'flight flights hotel room ticket tickets ride trip travel transfer', 'Financial'),
  rule('search', 'feedback', 'Write'),
  rule('report', 'issue bug incident spam abuse user problem', 'Write'),
  rule(
    'resolve open',
    `thread threads incident incidents comment comments alert alerts issue issues conflict conflicts
     ticket discussion review finding case`,
    'Write',
  ),
  rule('restore', 'trash deleted archived page item version file', 'Write'),
  rule(
    'restore',
    'droplet database db cluster branch table instance volume snapshot backup server vm disk',
    'Destructive',
  ),
  rule('reset', 'password filter view zoom counter timer git mfa factor factors', 'Write'),
  rule('clear', 'filter filters selection input', 'Write'),
  // Taking a member out of a relation leaves both ends in place.
  rule(
    'remove',
    `member members group team role label labels tag tags reaction assignee assignees reviewer
     reviewers follower followers collaborator watcher star favorite participant attendee`,
    'Write',
  ),
  rule('generate', 'key keys token secret password credentials credential', 'Write'),
  // Media is made by a paid service elsewhere, not computed from what was given.
  rule('generate', 'image images video audio music speech avatar model', 'Execute'),
  rule('create', 'completion completions', 'Execute'),
  rule('push', 'force', 'Destructive'),
  rule('push', 'image container', 'Execute'),
  rule('send', 'key keys keystroke keystrokes keypress', 'Execute'),
  rule('lock unlock', 'door doors gate car vehicle', 'Execute'),
  rule('request', 'graphql http api raw', 'Execute'),
  rule('forward', 'email message mail', 'Write'),
  rule('post', 'search query', 'Read'),
  rule('check', 'checkin checkout out', 'Write', false),
  rule('apply', 'label labels tag tags filter', 'Write'),
  rule('apply', 'coupon coupons discount voucher', 'Write'),
  rule('open', 'url app browser device door gate', 'Execute'),
  rule('attach', 'debugger process', 'Execute'),
  rule('print', 'label labels document receipt', 'Execute'),
  rule('log', 'call activity time work entry expense meal workout', 'Write'),
  rule('convert', 'lead draft ticket issue', 'Write'),
  rule('track', 'package parcel shipment flight order delivery', 'Read'),
  rule('list', 'sale', 'Write'),
  rule('return', 'tax item order product goods', 'Write', false),
  rule('start', 'conversation thread discussion', 'Write'),
]

/** The verb with the category that its object gives it. */
export function judgeByObject(verb: Verb, words: readonly string[]): Verb {
  for (const r of rules)
    if (r.verbs.has(verb.word) && words.some((word) => r.objects.has(word)))
      return { word: verb.word, category: r.category, isPlain: r.isPlain }
  return verb
}
