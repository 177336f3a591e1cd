import { actionChoice } from './action-choice.ts'
import { foreignVerb } from './foreign-verb.ts'
import { freeForm } from './free-form.ts'
import { hints } from './hints.ts'
import { money } from './money.ts'
import { operationsInProse } from './operations-in-prose.ts'
import { outputSchema } from './output-schema.ts'
import { readingNoun } from './reading-noun.ts'
import { serverContext } from './server-context.ts'
import type { Signal } from './signal.ts'
import { unknown } from './unknown.ts'
import { verbInDescription } from './verb-in-description.ts'
import { verbInName } from './verb-in-name.ts'

/** Every signal on the category, by the name that evidence carries. */
export const signals = {
  verb_in_name: verbInName,
  money,
  verb_in_description: verbInDescription,
  unknown,
  action_choice: actionChoice,
  free_form: freeForm,
  operations_in_prose: operationsInProse,
  reading_noun: readingNoun,
  hints,
  foreign_verb: foreignVerb,
  output_schema: outputSchema,
  server_context: serverContext,
} satisfies Record<string, Signal>

/** The name of a signal on the category. */
export type SignalName = keyof typeof signals
