import type { Json } from '../../json/json.ts'
import { equalJson } from '../equal.ts'

/** Tells whether a value equals an element; undefined when a number is beyond comparison. */
export function membership(list: readonly Json[]): (value: Json) => boolean | undefined {
  // Long lists are lists of names: those are looked up, whatever else is compared one by one.
  const texts = new Set(list.filter((item) => typeof item === 'string'))
  const others = list.filter((item) => typeof item !== 'string')
  return (value) => {
    if (typeof value === 'string') return texts.has(value)
    let found: boolean | undefined = false
    for (const item of others) {
      const same = equalJson(value, item)
      if (same === true) return true
      if (same === undefined) found = undefined
    }
    return found
  }
}
