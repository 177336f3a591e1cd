/** Something that the person who runs the benchmark can mend; its message says how, in one line. */
export class BenchError extends Error {
  override readonly name = 'BenchError'
}
