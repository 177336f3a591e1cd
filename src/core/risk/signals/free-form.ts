import type { ToolFacts } from '../facts.ts'
import type { Vote } from '../model.ts'
import type { Parameter } from '../parameters.ts'
import { wordSet } from '../words.ts'
import type { Signal } from './signal.ts'

const CODE = wordSet(
  'sql statement statements script command cmd commands shell bash javascript js python expression soql cypher sparql',
)
const ENGINES =
  /\b(sql|postgres|postgresql|mysql|mssql|sqlite|snowflake|clickhouse|athena|bigquery|redshift|influxdb|influxql|flux|cypher|neo4j|databricks|duckdb|oracle|presto|trino|soql|graphql)\b/
const QUERY_PARAMETERS = wordSet('query queries statement q')
const QUERYING = wordSet('query execute run exec sql select queries read write')
const LANGUAGES = /\b(python|javascript|typescript|code interpreter|script|snippet|shell)\b/

const isCode = ({ words, choices, isText }: Parameter, facts: ToolFacts): boolean => {
  const last = words.at(-1) ?? ''
  const first = words[0] ?? ''
  if (choices.length > 0) return false
  if (words.length === 1 && last === 'code') return LANGUAGES.test(facts.text)
  return words.length <= 2 && isText && (CODE.has(last) || (CODE.has(first) && last === 'list'))
}

/** A parameter whose content decides the effect: SQL, code, a command, a request of any kind. */
export const freeForm: Signal = (facts): readonly Vote[] => {
  for (const parameter of facts.parameters)
    if (isCode(parameter, facts)) return [vote(parameter.name)]
  const request = anyRequest(facts)
  if (request !== undefined) return [vote(request)]
  const { verb } = facts
  const asks = facts.nameWords.some((word) => QUERYING.has(word))
  if (!asks || (verb?.isPlain === true && !QUERYING.has(verb.word))) return []
  const engine = ENGINES.exec(`${facts.nameWords.join(' ')} ${facts.text}`)
  if (engine === null) return []
  const query = facts.parameters.find((p) => QUERY_PARAMETERS.has(p.words.at(-1) ?? ''))
  return query !== undefined || facts.parameters.length === 0
    ? [vote(query?.name ?? engine[0])]
    : []
}

const TARGETS = wordSet('endpoint path url uri operation')
const CONTENTS = wordSet('body payload data params parameters args arguments')

/** A tool that calls whatever it is told to: the parameter that tells it. */
function anyRequest({ nameWords, parameters }: ToolFacts): string | undefined {
  if (!nameWords.some((word) => word === 'api' || word === 'http' || word === 'request'))
    return undefined
  if (!nameWords.some((word) => word === 'call' || word === 'request' || word === 'execute'))
    return undefined
  const target = parameters.find((p) => p.words.length === 1 && TARGETS.has(p.words[0] ?? ''))
  const content = parameters.some(
    (p) => CONTENTS.has(p.words.at(-1) ?? '') || p.words[0] === 'method',
  )
  return content ? target?.name : undefined
}

const vote = (quote: string): Vote => ({ category: 'Execute', weight: 2.5, quote })
