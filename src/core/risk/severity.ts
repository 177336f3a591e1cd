import type { Category, Severity } from '../policy/model.ts'
import type { ToolFacts } from './facts.ts'
import type { Evidence } from './model.ts'

/** The risk class of a category. */
export const riskClasses = {
  Read: 'Low',
  Write: 'Medium',
  Execute: 'High',
  Destructive: 'Critical',
  Financial: 'Critical',
} as const satisfies Record<Category, Severity>

const scale = ['Low', 'Medium', 'High', 'Critical'] as const satisfies readonly Severity[]

/** What makes a tool worse or milder than its class: how many steps, and the words that say so. */
interface Modifier {
  readonly steps: number
  readonly applies: (facts: ToolFacts, category: Category) => string | undefined
}

/** The words of a name, an argument or a result that the pattern finds. */
const inDefinition = (facts: ToolFacts, pattern: RegExp): string | undefined => {
  const named = pattern.exec(facts.nameWords.join(' '))
  if (named !== null) return named[0]
  for (const { words, name } of [...facts.parameters, ...facts.outputs])
    if (pattern.test(words.join(' '))) return name
  return undefined
}

const BULK = /\b(bulk|batch|mass|all|many|multiple|broadcast)\b/
const SECRETS =
  /\b(credentials?|secrets?|passwords?|passwd|private key|api key|access key|access token|connection string|ssh key|mnemonic|seed phrase)\b/
const PERSONAL =
  /\b(patients?|medical (?:record|history)s?|health (?:record|data)s?|ehr|fhir|diagnos[ei]s|prescriptions?|ssn|social security|passport|date of birth|dob|biometric|genom(?:e|ic)|salary|payslip|payroll|bank account|iban|credit card|card number|home address|location history|personal data|pii)\b/
const RECIPIENT =
  /^(to|recipients?|cc|bcc|(to|recipient|cc) (email|emails|address|addresses|number)|phone number|channel id|webhook url)$/
const IRREVERSIBLE =
  /\b(irreversibl[ey]|cannot be undone|can't be undone|permanently|not recoverable|unrecoverable)\b/
const PRIVILEGE =
  /\b(policy|role|roles|permissions?|restrictions?|admin|owner|ownership|collaborator|group|acl)\b/
const GRANTS = /^(attach|grant|add|put|assign|invite|set|share|transfer)$/
const ENFORCED = /\bread[- ]only\b|\bselect (queries|statements) only\b|\bonly select\b/

const modifiers: Readonly<Record<string, Modifier>> = {
  handles_secrets: { steps: 1, applies: (facts) => inDefinition(facts, SECRETS) },
  personal_or_health_data: { steps: 1, applies: (facts) => inDefinition(facts, PERSONAL) },
  bulk: {
    steps: 1,
    applies: (facts, category) =>
      category === 'Read' ? undefined : BULK.exec(facts.nameWords.join(' '))?.[0],
  },
  irreversible: {
    steps: 1,
    applies: ({ description, text }, category) => {
      const found = category === 'Read' ? null : IRREVERSIBLE.exec(text)
      return found === null ? undefined : description.slice(found.index, found.index + 60)
    },
  },
  external_recipient: {
    steps: 1,
    applies: ({ parameters, nameWords, name }, category) => {
      if (category !== 'Write') return undefined
      const to = parameters.find((p) => RECIPIENT.test(p.words.join(' ')))
      if (to !== undefined) return to.name
      return nameWords.includes('send') && nameWords.some((w) => /^(email|mail|sms)$/.test(w))
        ? name
        : undefined
    },
  },
  grants_privilege: {
    steps: 1,
    applies: ({ nameWords, name }, category) =>
      category === 'Write' &&
      nameWords.some((w) => GRANTS.test(w)) &&
      PRIVILEGE.test(nameWords.join(' '))
        ? name
        : undefined,
  },
  claims_destructive: {
    steps: 1,
    applies: ({ hints }, category) =>
      category === 'Read' && hints.destructive === true ? 'destructiveHint: true' : undefined,
  },
  cache_only: {
    steps: -2,
    applies: ({ nameWords, name }, category) =>
      category === 'Destructive' && nameWords.at(-1) === 'cache' ? name : undefined,
  },
}

/** The severity of a tool: its class, moved within the scale by what else the definition says. */
export function judgeSeverity(facts: ToolFacts, category: Category, freeForm: string | undefined) {
  const evidence: Evidence[] = []
  let steps = 0
  for (const [signal, { steps: by, applies }] of Object.entries(modifiers)) {
    const quote = applies(facts, category)
    if (quote === undefined) continue
    steps += by
    evidence.push({ signal, quote })
  }
  if (freeForm !== undefined && category !== 'Read') {
    const enforced = ENFORCED.exec(facts.text)
    steps += enforced === null ? 1 : -1
    evidence.push(
      enforced === null
        ? { signal: 'free_form_effect', quote: freeForm }
        : { signal: 'says_read_only', quote: enforced[0] },
    )
  }
  const at = scale.indexOf(riskClasses[category]) + steps
  const severity: Severity = scale[Math.min(Math.max(at, 0), scale.length - 1)] ?? 'Critical'
  return { severity, evidence }
}
