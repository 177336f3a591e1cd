/** The tool that every measured call names. */
export const TOOL = 'refund_payment'

/** The protocol revision of every measured call. */
export const REVISION = '2026-07-28'

/** The body of every measured call: what an agent sends, some 500 bytes. */
export const callBody = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: TOOL,
    arguments: {
      payment: 'pay_8Qm2xT41',
      amount: 1850,
      currency: 'eur',
      note: 'The parcel arrived wet; the customer sent two photos.',
      customer: { email: 'ana@example.com', tier: 'gold' },
      items: ['lamp', 'shade'],
      notify: true,
    },
    _meta: {
      'io.modelcontextprotocol/protocolVersion': REVISION,
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
})

/** The headers of every measured call. */
export const callHeaders = (token: string): Readonly<Record<string, string>> => ({
  Authorization: `Bearer ${token}`,
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
  'Mcp-Protocol-Version': REVISION,
  'Mcp-Method': 'tools/call',
  'Mcp-Name': TOOL,
})
