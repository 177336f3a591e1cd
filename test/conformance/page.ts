import { fileURLToPath } from 'node:url'
import type { Baseline, Counted, Row } from './baseline.ts'
import { EXPLANATIONS, explanationOf } from './explanations.ts'
import { SUBJECTS, type Subject } from './measure.ts'
import { UPSTREAMS } from './routes.ts'
import type { Tally } from './run-model.ts'

/** Where the page is. */
export const PAGE_FILE = fileURLToPath(new URL('../../docs/conformance.md', import.meta.url))

const outOf = ([passed, all]: Tally['checks']): string => `${passed}/${all}`

/** The page that tells the committed results. */
export const pageOf = (baseline: Baseline): string =>
  `${[
    '# Conformance',
    '',
    '<!-- Written by `npm run conformance -- --write`; do not edit. -->',
    '',
    `The official suite, \`@modelcontextprotocol/conformance\` ${baseline.suite}, asks a server directly and`,
    'then the same server through the built program, with a policy that allows everything. Both runs are compared',
    'check by check. **Scored** is what the suite requires at a revision; **kept** counts every check that passes',
    'directly and passes through Sallyport as well, also of the scenarios that the suite runs without scoring them.',
    'A continuous run fails on every difference that is not on this page.',
    '',
    '## Servers, asked directly',
    '',
    ...table(
      ['client', 'server', 'scenarios, scored', 'checks, scored', 'checks, all'],
      directRows(baseline),
    ),
    '',
    '## Through Sallyport, client and server of one era',
    '',
    ...table(HEAD, rowsOf(baseline, 'same era')),
    '',
    '## Through Sallyport, between the eras',
    '',
    'The direct run is that of the same server in both eras: what a client of its own era gets from it.',
    '',
    ...table(HEAD, rowsOf(baseline, 'bridged')),
    '',
    '## Through a stack',
    '',
    'The server stands in a [stack](stacks.md) with another one. What the suite asks gets the names that it has there,',
    'and what it is answered its own; a stack is of the stateless era, so that sessions go over the bridge.',
    '',
    ...table(HEAD, rowsOf(baseline, 'in a stack')),
    '',
    '## Sallyport as the client',
    '',
    'The suite plays the server, and judges what it was sent. A client on the official SDK stands behind Sallyport.',
    'Scenarios of `auth/*` are of clients that sign in by themselves, and are left out.',
    '',
    ...table(HEAD, rowsOf(baseline, 'as a client')),
    '',
    '## Every difference',
    '',
    ...differences(baseline),
  ].join('\n')}\n`

const HEAD = [
  'client',
  'server',
  'scenarios, scored',
  'checks, scored',
  'kept',
  'lost',
  'gained',
] as const

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${'---|'.repeat(head.length)}`,
  ...rows.map((cells) => `| ${cells.join(' | ')} |`),
]

/** What is scored; of an extension nothing is, so all of it. */
const mattering = ({ scored, all }: Counted): Tally => (scored.checks[1] === 0 ? all : scored)

const present = (baseline: Baseline): (readonly [Subject, Row])[] =>
  SUBJECTS.flatMap((subject) => {
    const row = baseline.rows[subject.id]
    return row === undefined ? [] : [[subject, row] as const]
  })

function directRows(baseline: Baseline): string[][] {
  const seen = new Map<string, string[]>()
  for (const [{ source, revision }, { direct }] of present(baseline)) {
    if (!('against' in source)) continue
    const { all } = direct
    const scored = mattering(direct)
    const { title } = UPSTREAMS[source.against]
    seen.set(`${revision} ${title}`, [
      revision,
      title,
      outOf(scored.scenarios),
      outOf(scored.checks),
      outOf(all.checks),
    ])
  }
  return [...seen.values()]
}

const rowsOf = (baseline: Baseline, kind: Subject['kind']): string[][] =>
  present(baseline)
    .filter(([subject]) => subject.kind === kind)
    .map(([{ revision, title }, { direct, through, kept, differences: lines }]) => {
      const count = (what: string): string =>
        String(lines.filter((line) => line.startsWith(`${what} `)).length)
      const { scenarios, checks } = mattering(through)
      const all = direct.all.checks[0]
      return [
        ...[revision, title, outOf(scenarios), outOf(checks)],
        ...[`${kept} of ${all}`, count('lost'), count('gained')],
      ]
    })

function differences(baseline: Baseline): string[] {
  const all = present(baseline).flatMap(([{ id }, row]) =>
    row.differences.map((line) => ({ id, line, explanation: explanationOf(id, line) })),
  )
  const open = all.filter(({ explanation }) => explanation === undefined)
  if (open.length > 0)
    throw new Error(`not explained:\n${open.map(({ id, line }) => `${id} ${line}`).join('\n')}`)
  return EXPLANATIONS.flatMap((explanation) => {
    const mine = all.filter((one) => one.explanation === explanation)
    if (mine.length === 0) return []
    const lines = new Map<string, string[]>()
    for (const { id, line } of mine) lines.set(line, [...(lines.get(line) ?? []), id])
    const gained = [...lines.keys()].filter((line) => line.startsWith('gained '))
    const shown = [...lines].filter(
      ([line]) => gained.length <= MAX_GAINED || !gained.includes(line),
    )
    return [
      `${explanation.why}${explanation.isUnsteady ? ' (Not in every run.)' : ''}`,
      '',
      ...(gained.length > MAX_GAINED ? [`- ${gained.length} checks gained`] : []),
      ...shown.map(([line, ids]) => `- \`${line}\` (${ids.map((id) => `\`${id}\``).join(', ')})`),
      '',
    ]
  }).slice(0, -1)
}

/** More checks than this that newly pass are counted, not listed: the baseline has them all. */
const MAX_GAINED = 10
