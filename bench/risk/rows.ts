import { existsSync, readFileSync } from 'node:fs'
import type { Json, JsonObject } from '../../src/core/json/json.ts'
import type { Category } from '../../src/core/policy/model.ts'
import { classify } from '../../src/core/risk/classify.ts'
import type { ToolDefinition } from '../../src/core/risk/model.ts'

/** One labelled tool: what a server says of it, and what a person says it can do. */
export interface Row {
  readonly family: string
  readonly tool: string
  readonly title: string | null
  readonly description: string | null
  readonly properties: readonly string[] | null
  readonly enums: { readonly [property: string]: Json } | null
  readonly annotations: JsonObject | null
  readonly category: Category
  /** Other categories that are acceptable too. */
  readonly alt: readonly Category[]
  readonly labels?: { readonly annotation?: string }
  readonly gold: boolean
}

/** A row with what the classifier makes of it. */
export interface Judged {
  readonly row: Row
  readonly got: Category
  readonly confidence: number
}

/** The labelled tools of a file, one JSON object a line; none where the file is absent. */
export function readRows(file: URL | string): readonly Row[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}

/** The row as the tool definition that a server would send. */
export function definitionOf(row: Row): ToolDefinition {
  const property = (name: string): readonly [string, Json] => {
    const choices = row.enums?.[name]
    return [name, choices === undefined ? {} : { type: 'string', enum: choices }]
  }
  return {
    name: row.tool,
    title: row.title,
    description: row.description,
    inputSchema: {
      type: 'object',
      properties: Object.fromEntries((row.properties ?? []).map(property)),
    },
    annotations: row.annotations,
  }
}

/** What the classifier makes of a row. */
export function judge(row: Row): Judged {
  const { category, confidence } = classify(definitionOf(row))
  return { row, got: category, confidence }
}

/** The same without the row's annotations. */
export const judgeBlind = (row: Row): Judged => judge({ ...row, annotations: null })
