/** Drops the oldest of a set or map that is full, so that one more fits. */
export function makeRoom(
  full: { readonly size: number; keys(): Iterable<unknown>; delete(key: never): boolean },
  most: number,
): void {
  if (full.size < most) return
  for (const oldest of full.keys()) {
    full.delete(oldest as never)
    return
  }
}
