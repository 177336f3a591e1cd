import type { z } from 'zod'

/** A schema whose values also pass a rule of `rules.ts`, with the rule's own words. */
export const ruled = <S extends z.ZodType<string>>(
  schema: S,
  wrong: (text: string) => string | undefined,
): S =>
  schema.check((context) => {
    const message = wrong(context.value)
    if (message !== undefined)
      context.issues.push({ code: 'custom', message, input: context.value })
  }) as S
