import type { QuotaWindow } from './quota-window.ts'

/** Windows of one length, counted from `originMs` in both directions. */
export const aligned = (lengthMs: number, originMs = 0): QuotaWindow => ({
  longestMs: lengthMs,
  spanAt: (at) => {
    const start = Math.floor((at - originMs) / lengthMs) * lengthMs + originMs
    return { start, resetsAt: start + lengthMs }
  },
})
