import type { WindowName } from './model.ts'
import { windowNames } from './vocabulary.ts'

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** No window, expiry or memory is longer than this. */
export const MAX_DURATION_MS = 366 * 86_400_000

/** Milliseconds of `"90s"`, `"15m"`, `"2h"`, `"7d"`; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const m = /^([1-9]\d{0,8})([smhd])$/.exec(text)
  if (m === null) return undefined
  const lengthMs = Number(m[1]) * (UNITS[m[2] ?? ''] ?? Number.NaN)
  return lengthMs <= MAX_DURATION_MS ? lengthMs : undefined
}

/** A window as the policy writes it: a name of the calendar or a duration; undefined for neither. */
export function parseWindow(text: string): WindowName | { readonly lengthMs: number } | undefined {
  const name = windowNames.find((w) => w === text)
  if (name !== undefined) return name
  const lengthMs = parseDuration(text)
  return lengthMs === undefined ? undefined : { lengthMs }
}
