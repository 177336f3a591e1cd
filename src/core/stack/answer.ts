import { applyEdits, type Edit } from '../json/edit.ts'
import { type JsonNode, nodeOf, parseNodes } from '../json/parse.ts'
import type { RequestFrame } from '../mcp/frame-model.ts'
import { unknownReply } from '../mcp/reply.ts'
import { joinName, joinUri } from './names.ts'
import { type Asked, askedOf, type Routed } from './route.ts'

/** A link into the web is one that its reader opens without a server. */
const isWeb = (uri: string): boolean => /^https?:/i.test(uri)

const textOf = (node: JsonNode | undefined): string | undefined =>
  node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined

const itemsOf = (node: JsonNode | undefined): readonly JsonNode[] =>
  node?.kind === 'array' ? node.items : []

/** Replaces a text by another; what is no text stays. */
export function renamed(
  node: JsonNode | undefined,
  rename: (text: string) => string,
): readonly Edit[] {
  const text = textOf(node)
  if (node === undefined || text === undefined) return []
  return [{ start: node.start, end: node.end, text: JSON.stringify(rename(text)) }]
}

/** The URIs that content blocks of a result refer to. */
function contentEdits(blocks: readonly JsonNode[], member: string): readonly Edit[] {
  const link = (uri: string): string => (isWeb(uri) ? uri : joinUri(member, uri))
  return blocks.flatMap((block) => {
    const type = textOf(nodeOf(block, 'type'))
    if (type === 'resource_link') return renamed(nodeOf(block, 'uri'), link)
    return type === 'resource' ? renamed(nodeOf(nodeOf(block, 'resource'), 'uri'), link) : []
  })
}

/** What a result of each method names: URIs of content, and tasks. */
function resultEdits(result: JsonNode, method: string, member: string): readonly Edit[] {
  switch (method) {
    case 'resources/read':
      return itemsOf(nodeOf(result, 'contents')).flatMap((item) =>
        renamed(nodeOf(item, 'uri'), (uri) => joinUri(member, uri)),
      )
    case 'prompts/get':
      return itemsOf(nodeOf(result, 'messages')).flatMap((message) => {
        const content = nodeOf(message, 'content')
        const blocks = content?.kind === 'object' ? [content] : itemsOf(content)
        return contentEdits(blocks, member)
      })
    case 'tools/call':
    case 'tasks/get':
      return [
        ...renamed(nodeOf(result, 'taskId'), (id) => joinName(member, id)),
        ...contentEdits(itemsOf(nodeOf(result, 'content')), member),
        ...contentEdits(itemsOf(nodeOf(nodeOf(result, 'result'), 'content')), member),
      ]
    default:
      return []
  }
}

/** Cheap signs that an answer names something. */
const NAMING = /"uri"|"taskId"|"Unknown /

/**
 * A member's answer as the stack gives it: what it names has the stack's names, all other characters
 * stay as they came.
 */
export function stackedAnswer(text: string, asked: Asked, { member, frame }: Routed): string {
  if (!NAMING.test(text)) return text
  let root: JsonNode
  try {
    root = parseNodes(text)
  } catch {
    return text
  }
  const result = nodeOf(root, 'result')
  return applyEdits(
    text,
    result === undefined
      ? unknownEdits(root, asked, frame)
      : resultEdits(result, frame.method, member),
  )
}

/** Where a thing does not exist for the caller, it is named as the caller named it. */
function unknownEdits(root: JsonNode, asked: Asked, frame: RequestFrame): readonly Edit[] {
  const own = askedOf(frame)?.name
  if (own === undefined || asked.what === 'task') return []
  const message = nodeOf(nodeOf(root, 'error'), 'message')
  const said = JSON.parse(unknownReply(frame.id, asked.what, own)) as Unknown
  const says = JSON.parse(unknownReply(frame.id, asked.what, asked.name)) as Unknown
  return textOf(message) === said.error.message ? renamed(message, () => says.error.message) : []
}

interface Unknown {
  readonly error: { readonly message: string }
}

/** A notification of a member as the stack gives it; undefined for one that can't be read. */
export function stackedNotification(text: string, member: string): string | undefined {
  let root: JsonNode
  try {
    root = parseNodes(text)
  } catch {
    return undefined
  }
  const params = nodeOf(root, 'params')
  const method = textOf(nodeOf(root, 'method'))
  if (method === 'notifications/resources/updated')
    return applyEdits(
      text,
      renamed(nodeOf(params, 'uri'), (uri) => joinUri(member, uri)),
    )
  if (method === 'notifications/tasks')
    return applyEdits(
      text,
      renamed(nodeOf(params, 'taskId'), (id) => joinName(member, id)),
    )
  return text
}
