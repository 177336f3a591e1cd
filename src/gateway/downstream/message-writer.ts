/** Writes messages to the one channel that a client reads. */
export interface MessageWriter {
  /** Writes a message, made with `lineOf`; false when the reader takes no more for now. */
  write(text: string): boolean
  /** True while the reader takes no more. */
  isFull(): boolean
  onDrain(resume: () => void): void
}
