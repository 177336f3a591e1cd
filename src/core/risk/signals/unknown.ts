import type { Signal } from './signal.ts'

/** What nothing is known of counts as Execute: weak, so that any other evidence outweighs it. */
export const unknown: Signal = ({ isCut }) =>
  isCut
    ? [{ category: 'Execute', weight: 0.5, obliges: true, quote: 'larger than is read' }]
    : [{ category: 'Execute', weight: 0.5, quote: 'no signal is certain' }]
