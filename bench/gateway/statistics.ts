/** The middle of the finite values, the mean of the two middle ones of an even count; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >> 1] ?? Number.NaN
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN
  return (lower + upper) / 2
}

/** One figure of one round. */
export interface RoundFigure {
  readonly round: number
  readonly value: number
}

/**
 * The median over rounds of a figure divided by the yardstick's figure of the same round; NaN when
 * they share no round. Whatever slowed a round down slowed both, and cancels out.
 */
export function pairedRatio(
  figures: readonly RoundFigure[],
  yardstick: readonly RoundFigure[],
): number {
  const base = new Map(yardstick.map(({ round, value }) => [round, value]))
  return median(figures.map(({ round, value }) => value / (base.get(round) ?? Number.NaN)))
}

/** The items in the order of a round: each round starts one further on, so that no item is always first. */
export function rotated<T>(items: readonly T[], round: number): readonly T[] {
  const start = items.length === 0 ? 0 : round % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}
