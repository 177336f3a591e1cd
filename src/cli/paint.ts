/** Colours for a terminal; the identity where there is none. */
export interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
}

/** The colours, or no colours. */
export function painter(hasColour: boolean): Paint {
  const sgr = (on: number, off: number) => (text: string) =>
    hasColour && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text
  return {
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    red: sgr(31, 39),
    green: sgr(32, 39),
    yellow: sgr(33, 39),
    cyan: sgr(36, 39),
  }
}
