import type { ElicitRequestFormParams } from '@modelcontextprotocol/server'

/** The shape of a form that a user fills in. */
export type Form = ElicitRequestFormParams['requestedSchema']

/** A red pixel, as PNG in base64. */
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC'

/** No sound at all, as WAV in base64: a header that announces zero samples. */
export const SILENCE = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA='

/** A result that says one text. */
export const said = (text: string) => ({ content: [{ type: 'text' as const, text }] })

/** A form of one field that must be filled in. */
export const formOf = (field: string, type: 'string' | 'boolean'): Form => ({
  type: 'object',
  properties: { [field]: type === 'string' ? { type } : { type } },
  required: [field],
})
