/** What one check found. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warn' | 'fail'
  /** What is so; lower case, one line. */
  readonly message: string
  /** What to do about it. */
  readonly mend?: string
}

/** Makes the findings of one check. */
export const finder = (check: string) => ({
  ok: (message: string): Finding => ({ check, state: 'ok', message }),
  warn: (message: string, mend: string): Finding => ({ check, state: 'warn', message, mend }),
  fail: (message: string, mend: string): Finding => ({ check, state: 'fail', message, mend }),
})
