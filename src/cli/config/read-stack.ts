import { MOST_MEMBERS } from '../../core/contract/rules.ts'
import type { StackEntry } from '../../core/snapshot.ts'
import { wrongMember } from '../../core/stack/names.ts'
import { didYouMean } from '../nearest.ts'
import { expected, readFields, readFilled } from './fields.ts'
import { fileId } from './secret.ts'
import type { Report, Value } from './tree.ts'

/** Reads one member of `stacks`. */
export function readStack(
  report: Report,
  name: string,
  value: Value,
  servers: ReadonlySet<string>,
): StackEntry | undefined {
  const fields = readFields(report, value, ['servers'], 'a stack, as `{ servers: [a, b] }`')
  if (fields === undefined) return undefined
  const list = fields.get('servers')
  if (list === undefined || list.kind !== 'list' || list.items.length === 0)
    return expected(report, list ?? value, 'the names of its servers, as `servers: [a, b]`')
  if (list.items.length > MOST_MEMBERS)
    report(list, `a stack has at most ${MOST_MEMBERS} servers, this one has ${list.items.length}`)
  const members = list.items.flatMap((item) => readMember(report, item, servers) ?? [])
  for (const [i, member] of members.entries())
    if (members.indexOf(member) !== i) report(list, `\`${member}\` stands here twice`)
  return { id: fileId('stack', name), name, servers: members, source: 'file' }
}

function readMember(report: Report, item: Value, servers: ReadonlySet<string>): string | undefined {
  const member = readFilled(report, item, 'the name of a server')
  if (member === undefined) return undefined
  const said = item.kind === 'text' && item.isExpanded ? 'of the environment' : `\`${member}\``
  if (!servers.has(member))
    report(item, `no server ${said} under \`servers\``, didYouMean(member, servers))
  const wrong = wrongMember(member)
  if (wrong !== undefined) report(item, wrong, 'rename the server')
  return member
}
