import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server'
import { PIXEL, SILENCE, said } from './samples.ts'

const image = { type: 'image' as const, data: PIXEL, mimeType: 'image/png' }
const audio = { type: 'audio' as const, data: SILENCE, mimeType: 'audio/wav' }
const resource = (uri: string, mimeType: string, text: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text },
})

const POSTAL_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}

const MIRRORED_SCHEMA = {
  type: 'object',
  properties: {
    region: { type: 'string', description: 'also sent as a header', 'x-mcp-header': 'Region' },
    level: { type: 'integer', description: 'sent in the body alone' },
  },
}

/** Tools that answer at once: every kind of content, an error, and schemas that must survive. */
export function addContentTools(server: McpServer): void {
  server.registerTool('test_simple_text', { description: 'answers with a text' }, () =>
    said('This is a simple text response for testing.'),
  )
  server.registerTool('test_image_content', { description: 'answers with an image' }, () => ({
    content: [image],
  }))
  server.registerTool('test_audio_content', { description: 'answers with a sound' }, () => ({
    content: [audio],
  }))
  server.registerTool('test_embedded_resource', { description: 'answers with a file' }, () => ({
    content: [resource('test://embedded-resource', 'text/plain', 'a file inside an answer')],
  }))
  server.registerTool('test_multiple_content_types', { description: 'answers with all' }, () => ({
    content: [
      { type: 'text', text: 'a text, an image and a file' },
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }))
  server.registerTool('test_error_handling', { description: 'fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  server.registerTool(
    'json_schema_2020_12_tool',
    {
      description: 'is described with much of JSON Schema 2020-12',
      inputSchema: fromJsonSchema(POSTAL_SCHEMA),
    },
    (args) => said(`called with ${JSON.stringify(args)}`),
  )
  server.registerTool(
    'test_x_mcp_header',
    {
      description: 'has an argument that HTTP clients also send as a header',
      inputSchema: fromJsonSchema<{ region?: string; level?: number }>(MIRRORED_SCHEMA),
    },
    ({ region }) => said(`region=${region ?? 'none'}`),
  )
}
