import { readUri } from '../core/policy/uri.ts'
import type { Caller } from './gate.ts'

const UI = /^ui:/i

/** True for the pages of tools (MCP Apps). */
export const isPage = (uri: string): boolean => UI.test(uri)

const canonical = (uri: string): string => readUri(uri)?.canonical ?? uri

/** True for a page that belongs to tools alone of which the caller sees none. */
export function isResourceHidden({ server, grant }: Caller, uri: string): boolean {
  if (!isPage(uri)) return false
  const tools = server.catalogue.toolsWithPage(canonical(uri))
  const policy = grant.policy?.policy
  return tools.length > 0 && tools.every((tool) => policy?.isHidden(tool) ?? true)
}

/** The page that a tool's definition names, in the form in which pages are compared. */
export const pageOf = (uri: string | undefined): string | undefined =>
  uri !== undefined && isPage(uri) ? canonical(uri) : undefined
