import { type JsonNode, nodeOf } from '../../json/parse.ts'
import type { EntryDocument, PolicyDocument } from '../document.ts'
import { isGlob } from '../glob.ts'
import type { Patterns } from '../pattern.ts'
import type { Report } from '../shape.ts'
import {
  elementsOf,
  membersOf,
  type Place,
  placeAt,
  refuse,
  refuseUnknown,
  scalarAt,
  textOf,
} from './reader.ts'
import { countedBy, importRule } from './rule.ts'

/** True for a document that only Intercept has: one of its tools has `rules`. */
export function isIntercept(root: JsonNode): boolean {
  const tools = nodeOf(root, 'tools')
  return (
    tools?.kind === 'object' &&
    tools.members.some((tool) => nodeOf(tool.node, 'rules') !== undefined)
  )
}

/** Turns an Intercept policy into one of ours with the same decisions; reports what can't be. */
export function importDocument(root: JsonNode, patterns: Patterns, report: Report): PolicyDocument {
  const whole: Place = { node: root, pointer: '', report }
  refuseUnknown(whole, ['version', 'description', 'default', 'hide', 'tools'], 'the policy')
  if (textOf(whole, 'version') !== '1')
    refuse(placeAt(whole, 'version') ?? whole, 'the only known version is `"1"`', 'write `"1"`')
  const byDefault = textOf(whole, 'default') ?? ''
  if (!['', 'allow', 'deny'].includes(byDefault))
    refuse(placeAt(whole, 'default') ?? whole, 'expected `allow` or `deny`')
  const description = textOf(whole, 'description')
  const hide = importHide(whole)
  const toolsAt = placeAt(whole, 'tools')
  const tools = toolsAt === undefined ? [] : membersOf(toolsAt, '`tools`')
  const counted = new Set(
    tools.flatMap((tool) =>
      elementsOf(placeAt({ ...tool, report: () => undefined }, 'rules'), 'rules').flatMap(
        (rule) => countedBy(rule, scopeOf(tool.key)) ?? [],
      ),
    ),
  )
  const entries = tools.map(
    (tool) =>
      [tool.key, importTool(tool, { patterns, counted, scope: scopeOf(tool.key) })] as const,
  )
  const everyTool = entries.find(([name]) => name === '*')?.[1]
  return {
    version: '1',
    ...(description === undefined ? {} : { description }),
    default: byDefault === 'deny' ? 'deny' : 'allow',
    ...(hide.length === 0 ? {} : { hide }),
    ...(everyTool === undefined ? {} : { all_tools: everyTool }),
    tools: Object.fromEntries(entries.filter(([name]) => name !== '*')),
  }
}

const scopeOf = (tool: string): string => (tool === '*' ? '_global' : tool)

function importHide(whole: Place): readonly string[] {
  const seen = new Set<string>()
  for (const entry of elementsOf(placeAt(whole, 'hide'), '`hide`')) {
    const value = scalarAt(entry)
    if (typeof value !== 'string' || value.trim() === '') refuse(entry, 'expected a tool name')
    else if (seen.has(value)) refuse(entry, `\`${value.slice(0, 60)}\` is there twice`)
    else {
      if (value !== '*') refuseGlob(entry, value)
      seen.add(value)
    }
  }
  return [...seen]
}

const refuseGlob = (place: Place, name: string): void => {
  if (isGlob(name))
    refuse(
      place,
      `Intercept takes \`${name.slice(0, 60)}\` for one tool's name; here it would be a glob`,
      'write the names that are meant',
    )
}

function importTool(
  tool: Place & { readonly key: string },
  context: Parameters<typeof importRule>[1],
): EntryDocument {
  if (tool.key === '') refuse(tool, 'the name of a tool can not be empty')
  if (tool.key !== '*') refuseGlob(tool, tool.key)
  refuseUnknown(tool, ['rules'], 'a tool')
  const places = elementsOf(placeAt(tool, 'rules'), 'rules')
  const rules = places.map((rule) => importRule(rule, context))
  const limits = rules.flatMap((rule) => rule.limit ?? [])
  const counters = new Set<string>()
  for (const [i, rule] of rules.entries()) {
    const place = places[i]
    if (rule.limit === undefined || place === undefined) continue
    if (counters.has(rule.limit.counter))
      refuse(place, `\`${rule.limit.counter.slice(0, 120)}\` is counted by two rules`)
    counters.add(rule.limit.counter)
  }
  const denials = rules.flatMap((rule) => rule.deny ?? [])
  const requires = rules.flatMap((rule) => rule.require ?? [])
  return {
    ...(requires.length === 0 ? {} : { require: requires }),
    ...(denials.length === 0 ? {} : { deny_if: denials }),
    ...(limits.length === 0 ? {} : { limits }),
  }
}
