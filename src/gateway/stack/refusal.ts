import type { GatewayError } from '../../core/errors.ts'
import type { Caller, Gate } from '../gate.ts'
import { recordOf } from '../observe.ts'
import type { UpstreamRequest } from '../upstream/upstream.ts'
import { clientIn, type StackView } from './member.ts'

/** Puts on record what a stack refused itself, since it belongs to none of its members. */
export function observeRefusal(
  gate: Gate,
  { grant, self }: StackView,
  { frame, headers, protocolVersion }: UpstreamRequest,
  refused: { readonly tool: string | undefined; readonly error: GatewayError },
): void {
  if (frame.kind !== 'request') return
  const caller: Caller = {
    grant,
    headers,
    protocolVersion,
    server: self,
    era: 'modern',
    session: undefined,
    client: clientIn(frame),
    mirrors: undefined,
  }
  gate.records.put(
    recordOf(
      caller,
      {
        requestId: String(frame.id),
        method: frame.method,
        tool: refused.tool,
        effect: 'deny',
        rule: '',
        message: refused.error.message,
        mode: 'enforce',
        outcome: 'failed',
        code: refused.error.code,
      },
      { id: gate.newId(), at: gate.clock.now(), latencyMs: 0 },
    ),
  )
}
