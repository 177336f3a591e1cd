import type { Grant } from '../core/snapshot.ts'
import type { Caller, Gate } from './gate.ts'
import { grantFor } from './stack/member.ts'

/** A caller's grant as the configuration has it now; undefined when it is no more. */
export function grantNow(gate: Gate, { grant: { id, server } }: Caller): Grant | undefined {
  const grant = gate.grantOf(id)
  return grant?.stack === undefined || server === undefined ? grant : grantFor(grant, server)
}
