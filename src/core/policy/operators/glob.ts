import { compileGlob } from '../glob.ts'
import { texts } from './texts.ts'

/** A whole string matches a glob, or one of several: `*` any run, `?` one code point. */
export const glob = texts((operand) => compileGlob(operand))
