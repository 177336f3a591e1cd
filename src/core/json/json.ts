import { ExactNumber } from './exact-number.ts'

/** Any JSON value; a number that no double can hold is an {@link ExactNumber}. */
export type Json = null | boolean | number | string | ExactNumber | readonly Json[] | JsonObject

/** A JSON object. Own keys only: read it with `Object.hasOwn`, never by truthiness. */
export interface JsonObject {
  readonly [key: string]: Json
}

/** True for a JSON object (not an array, not null, not an exact number). */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof ExactNumber)

/** The own member of an object; undefined when it has none of that name. */
export const member = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined
