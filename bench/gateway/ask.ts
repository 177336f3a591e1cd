import { type IncomingHttpHeaders, request } from 'node:http'
import { callBody, callHeaders } from './call.ts'

/** An answer, read to its end. */
export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Makes one request on a connection of its own; a body makes it a POST. */
export const ask = (
  url: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string,
): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const asking = request(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.once('error', reject)
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      )
    })
    asking.once('error', reject)
    asking.end(body)
  })

/** Makes the measured call once. */
export const call = (url: string, token: string): Promise<Answered> =>
  ask(url, callHeaders(token), callBody)
