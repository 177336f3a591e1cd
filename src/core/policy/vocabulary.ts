import type { Category, LimitAlgorithm, LimitScope, Mode, Severity, WindowName } from './model.ts'

/** The closed sets of words that a policy may use; the types name the same. */
export const categories = [
  'Read',
  'Write',
  'Execute',
  'Destructive',
  'Financial',
] as const satisfies readonly Category[]
export const severities = [
  'Low',
  'Medium',
  'High',
  'Critical',
] as const satisfies readonly Severity[]
export const modes = ['enforce', 'observe'] as const satisfies readonly Mode[]
export const scopes = [
  'grant',
  'session',
  'server',
  'organisation',
] as const satisfies readonly LimitScope[]
export const algorithms = [
  'fixed',
  'sliding',
  'concurrent',
] as const satisfies readonly LimitAlgorithm[]
export const windowNames = [
  'second',
  'minute',
  'hour',
  'day',
  'week',
  'month',
] as const satisfies readonly WindowName[]
export const jsonTypes = ['null', 'boolean', 'number', 'string', 'array', 'object'] as const
