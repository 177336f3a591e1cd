import type { ToolFacts } from '../facts.ts'
import type { Vote } from '../model.ts'

/** Reads one kind of evidence off a definition. Pure and total; says nothing where it sees nothing. */
export type Signal = (facts: ToolFacts) => readonly Vote[]
