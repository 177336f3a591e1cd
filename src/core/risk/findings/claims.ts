import { isObject, member } from '../../json/json.ts'
import type { Check, Hit, Inspected } from './finding.ts'
import { isMixed } from './letters.ts'

const claim = ({ tool }: Inspected, key: string): boolean | undefined => {
  const annotations = isObject(tool) ? member(tool, 'annotations') : undefined
  const value = isObject(annotations) ? member(annotations, key) : undefined
  return typeof value === 'boolean' ? value : undefined
}

/** Signals that a server can't talk away by annotating. */
const FIRM = new Set(['verb_in_name', 'money', 'action_choice', 'operations_in_prose'])

/** What the annotations say is not what the name and the schema say. */
export const annotationContradiction: Check = {
  severity: 'Medium',
  message: 'is annotated as something else than its name and schema say',
  owasp: 'MCP02',
  attacks: ['confused_deputy', 'scope_creep'],
  look: (inspected) => {
    const { category, evidence, confidence } = inspected.classification
    const readOnly = claim(inspected, 'readOnlyHint')
    const destructive = claim(inspected, 'destructiveHint')
    const why = evidence.find(({ signal }) => FIRM.has(signal))?.quote ?? ''
    const hits: Hit[] = []
    const at = 'annotations'
    if (readOnly === true && destructive === true)
      hits.push({ at, quote: 'readOnlyHint: true and destructiveHint: true' })
    // Running and local effects are judged in good faith either way; changing and deleting are not.
    if (readOnly === true && why !== '' && (category === 'Destructive' || category === 'Financial'))
      hits.push({ at, severity: 'High', quote: `readOnlyHint: true, but ${category}: ${why}` })
    else if (readOnly === true && why !== '' && category === 'Write' && confidence >= 0.6)
      hits.push({ at, quote: `readOnlyHint: true, but ${category}: ${why}` })
    if (readOnly !== true && destructive === false && why !== '' && category === 'Destructive')
      hits.push({ at, quote: `destructiveHint: false, but ${category}: ${why}` })
    return hits
  },
}

/** A name with letters of another alphabet among its Latin ones. */
export const confusableName: Check = {
  severity: 'High',
  message: 'is named with letters that look like others',
  owasp: 'MCP04',
  attacks: ['look_alike', 'tool_shadowing'],
  look: ({ tool }) => {
    const name = isObject(tool) ? member(tool, 'name') : undefined
    if (typeof name !== 'string') return []
    const word = name
      .slice(0, 256)
      .split(/[^\p{L}\p{N}]+/u)
      .find(isMixed)
    return word === undefined ? [] : [{ at: 'name', quote: word }]
  },
}

const PRAISE =
  /\b(?:always|only|must|strongly)\b[^.]{0,20}\b(?:use|prefer|choose|default to(?: using)?|call|pick|select)\b[^.]{0,12}\b(?:this tool|this one|this server|it)\b[^.]{0,40}\b(?:over|instead of|rather than|before|first|for any|for all|for every)\b|\b(?:instead of|rather than|over) (?:any|all) other (?:tools?|servers?)\b|\b(?:the )?(?:best|most (?:powerful|reliable|accurate|trusted)|only (?:trusted|official|safe|correct)|superior|preferred)\b[^.]{0,30}\b(?:tool|option|server)\b[^.]{0,60}\b(?:always|only|never|default)\b/

/** A tool that wants to be chosen before others, whatever the task. */
export const selfPromotion: Check = {
  severity: 'Low',
  message: 'asks the model to prefer it over other tools',
  owasp: 'MCP06',
  attacks: ['tool_shadowing'],
  look: ({ passages }) =>
    passages.flatMap(({ at, plain }) => {
      const found = PRAISE.exec(plain)
      return found === null ? [] : [{ at, quote: found[0].slice(0, 80) }]
    }),
}
