// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { RemoteError } from '@myelin/remote/remote-error'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { roomById } from '@myelin/storage/rooms/rooms'
import { askToSign, isRecommended } from '../append/policy-server.ts'
import { policyServerOf } from '../../room-state/policy-server-of.ts'
import type { Checker } from './check-incoming.ts'

/** Events with the signatures that the room's policy server added, and the events that it refused. */
export interface Recommended {
  readonly pdus: readonly Pdu[]
  readonly unwanted: ReadonlySet<EventId>
}

/** Requests the policy server's signature for events that arrived without it, each once. */
export async function recommended(
  rt: Checker,
  { roomId, version }: { readonly roomId: RoomId; readonly version: RoomVersion },
  pdus: readonly Pdu[],
): Promise<Recommended> {
  const room = await roomById(rt.db.read, roomId)
  const policy = room && (await policyServerOf(rt.db.read, room))
  if (!policy) return { pdus, unwanted: new Set() }
  const signed: Pdu[] = []
  const unwanted = new Set<EventId>()
  for (const pdu of pdus) {
    const good = isRecommended(pdu, version, policy) ? pdu : await asked(rt, pdu, version, policy)
    signed.push(good ?? pdu)
    if (!good) unwanted.add(pdu.id)
  }
  return { pdus: signed, unwanted }
}

async function asked(
  rt: Checker,
  pdu: Pdu,
  version: RoomVersion,
  policy: Parameters<typeof askToSign>[3],
): Promise<Pdu | undefined> {
  try {
    return await askToSign(rt, pdu, version, policy)
  } catch (cause) {
    if (!(cause instanceof RemoteError || cause instanceof MatrixError)) throw cause
    rt.log.info({ err: cause, eventId: pdu.id }, 'the policy server does not recommend an event')
    return undefined
  }
}
