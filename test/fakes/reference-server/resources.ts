import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { PIXEL } from './samples.ts'

/** Resources: a text, an image, a template, and one that can be watched. */
export function addResources(server: McpServer): void {
  const text = (uri: string, mimeType: string, content: string) => ({
    contents: [{ uri, mimeType, text: content }],
  })
  server.registerResource(
    'static-text',
    'test://static-text',
    { description: 'a text', mimeType: 'text/plain' },
    ({ href }) => text(href, 'text/plain', 'This is the content of the static text resource.'),
  )
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'an image', mimeType: 'image/png' },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'image/png', blob: PIXEL }] }),
  )
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'one of many', mimeType: 'application/json' },
    ({ href }, { id }) =>
      text(href, 'application/json', JSON.stringify({ id, templateTest: true, of: href })),
  )
  server.registerResource(
    'watched-resource',
    'test://watched-resource',
    { description: 'a text that may change', mimeType: 'text/plain' },
    ({ href }) => text(href, 'text/plain', 'watched'),
  )
}
