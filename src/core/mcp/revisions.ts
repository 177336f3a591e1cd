/** What each revision of the protocol has. */

/** Revisions with sessions, oldest first. */
export const LEGACY_VERSIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'] as const

/** Stateless revisions: every request says its version itself. */
export const MODERN_VERSIONS = ['2026-07-28'] as const

/** The revision of a session that names none. */
export const UNNAMED_VERSION = '2025-03-26'

/** The one revision whose clients may send batches. */
export const BATCH_VERSION = '2025-03-26'

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

const SHARED =
  'tools/list tools/call prompts/list prompts/get resources/list resources/templates/list ' +
  'resources/read completion/complete'

/** Request methods that clients may send, by era; any other needs the server's `methods`. */
export const REQUEST_METHODS = {
  legacy: words(
    `${SHARED} initialize ping resources/subscribe resources/unsubscribe logging/setLevel ` +
      'tasks/get tasks/list tasks/result tasks/cancel',
  ),
  modern: words(
    `${SHARED} server/discover subscriptions/listen tasks/get tasks/update tasks/cancel`,
  ),
} as const

/** Notifications that clients send; any other needs the server's `methods`. */
export const NOTIFICATIONS = words(
  ['initialized', 'cancelled', 'progress', 'roots/list_changed', 'tasks/status']
    .map((name) => `notifications/${name}`)
    .join(' '),
)

/** `_meta` keys by which a stateless request says what it is. */
export const META_KEYS = {
  version: 'io.modelcontextprotocol/protocolVersion',
  client: 'io.modelcontextprotocol/clientInfo',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
} as const

/** The extension by which calls may become tasks. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'

/** True for a revision with sessions. */
export const isLegacyVersion = (version: string): boolean =>
  (LEGACY_VERSIONS as readonly string[]).includes(version)

/** True for a stateless revision. */
export const isModernVersion = (version: string): boolean =>
  (MODERN_VERSIONS as readonly string[]).includes(version)
