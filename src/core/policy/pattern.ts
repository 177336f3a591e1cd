import { RE2JS } from 're2js'

/** The longest pattern that is compiled, in UTF-16 units. */
export const MAX_PATTERN = 4096
/** The longest text that a pattern is run on, in UTF-16 units; what is longer can't be judged. */
export const MAX_SUBJECT = 262_144

/**
 * Steps that one search may take: instructions of the pattern times characters of the text. Linear
 * time bounds a search by this product, so that a large pattern is run on shorter texts only.
 */
export const MAX_WORK = 2 ** 25

/**
 * A compiled RE2 pattern: searches anywhere in the text, in linear time; undefined for a text that
 * is too long for it.
 */
export type Pattern = (text: string) => boolean | undefined

/** Compiles patterns; equal ones share one compilation and the memory of their last answer. */
export interface Patterns {
  /** The pattern, or what is wrong with it. */
  compile(source: string): Pattern | string
}

const complaint = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).replace(/^error parsing regexp: /, '')

function compilePattern(source: string): Pattern | string {
  if (source.length > MAX_PATTERN) return `it is longer than ${MAX_PATTERN} characters`
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(source)
  } catch (thrown) {
    return complaint(thrown)
  }
  // A policy may ask the same of a long text many times: it is searched once.
  let lastText: string | undefined
  let lastAnswer = false
  const longest = Math.min(MAX_SUBJECT, Math.floor(MAX_WORK / compiled.programSize()))
  return (text) => {
    if (text.length > longest) return undefined
    if (text !== lastText) {
      lastAnswer = compiled.test(text)
      lastText = text.length > 256 ? text : undefined
    }
    return lastAnswer
  }
}

/** A table of patterns for one policy. */
export function createPatterns(): Patterns {
  const known = new Map<string, Pattern | string>()
  return {
    compile(source) {
      let pattern = known.get(source)
      if (pattern === undefined) {
        pattern = compilePattern(source)
        known.set(source, pattern)
      }
      return pattern
    },
  }
}
