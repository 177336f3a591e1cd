/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`, or more than `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      row.push(cost)
    }
    before = last
    last = row
  }
  return last[b.length] ?? limit + 1
}

/** The known word that `word` was most likely meant to be; undefined when none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined
  const wanted = word.toLowerCase().replaceAll('-', '_')
  let best: string | undefined
  let least = Math.max(1, Math.min(3, Math.floor(wanted.length / 3))) + 1
  for (const candidate of known) {
    if (candidate.length > 64) continue
    const d = distance(wanted, candidate.toLowerCase(), least - 1)
    if (d < least) {
      best = candidate
      least = d
    }
  }
  return best
}

/** ``did you mean `deny_if`?``, or undefined. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const best = nearest(word, known)
  return best === undefined ? undefined : `did you mean \`${best}\`?`
}
