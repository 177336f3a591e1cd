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
    'cancel stop abort',
    `job jobs run runs crawl task execution import export autoimport autoexport build scan query
     workflow pipeline download upload operation process session research migration transfer
     statement batch deployment rollout training generation update command spot`,
    'Execute',
  ),
  rule('select', 'option dropdown browser puppeteer playwright element', 'Execute'),
  rule('type', 'browser puppeteer playwright text element key', 'Execute'),
  rule('search', 'feedback', 'Write'),
  rule(
    'resolve',
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
  rule('push', 'image container', 'Execute'),
  rule('export open', 'order position trade', 'Execute'),
  rule('forward', 'email message mail', 'Write'),
  rule('transfer', 'ownership repository repo issue call data metadata file', 'Write'),
  rule('post', 'search query', 'Read'),
  rule('check', 'checkin checkout', 'Write'),
  rule('apply', 'label labels tag tags filter', 'Write'),
  rule('start', 'conversation thread discussion', 'Write'),
  rule('close', 'browser page tab position', 'Execute'),
]

/** The verb with the category that its object gives it. */
export function judgeByObject(verb: Verb, words: readonly string[]): Verb {
  for (const r of rules)
    if (r.verbs.has(verb.word) && words.some((word) => r.objects.has(word)))
      return { word: verb.word, category: r.category, isPlain: r.isPlain }
  return verb
}
