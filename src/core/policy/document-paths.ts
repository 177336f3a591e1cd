import type { ConditionDocument, EntryDocument } from './document.ts'

/** The paths that the conditions of an entry read, in order, repeated as they repeat. */
export const conditionPaths = (entry: EntryDocument): readonly string[] =>
  [...(entry.require ?? []), ...(entry.deny_if ?? []), ...(entry.approve_if ?? [])].flatMap(
    (rule) => rule.conditions.flatMap(pathsOf),
  )

function pathsOf(condition: ConditionDocument): readonly string[] {
  if ('all' in condition) return condition.all.flatMap(pathsOf)
  if ('any' in condition) return condition.any.flatMap(pathsOf)
  return 'not' in condition ? pathsOf(condition.not) : [condition.path]
}
