// SPDX-License-Identifier: Apache-2.0
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { ServerName } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import type { Runtime } from '../../runtime/runtime.ts'
import { verified } from '../intake/check-incoming.ts'
import type { Checker } from '../intake/check-incoming.ts'
import type { RoomContext } from '../../room-state/room-context.ts'
import { recordOutside } from './outside-room.ts'
import { serversAround } from '../../room-state/servers-around.ts'

/**
 * Returns whether an event of a room that this server is not in retracts a local user's invite or rejects their knock.
 * It must name the invite or knock, and come from a server that invited the user or is in the stripped state.
 */
export async function isWithdrawal(
  rt: Pick<Runtime, 'db' | 'serverName'>,
  origin: ServerName,
  pdu: Pdu,
): Promise<boolean> {
  const { stateKey: target, type, sender, content } = pdu
  const isOut = ['leave', 'ban'].includes(stringMember(content, 'membership') ?? '')
  if (type !== 'm.room.member' || !isOut || !isUserId(target) || target === sender) return false
  if (serverOf(target) !== rt.serverName || serverOf(sender) !== origin) return false
  const standing = await membershipIn(rt.db.read, pdu.roomId, target)
  if (standing?.membership !== 'invite' && standing?.membership !== 'knock') return false
  const offered = (await eventsByNid(rt.db.read, [standing.eventNid])).get(standing.eventNid)
  if (!offered || !pdu.authEvents.includes(offered.pdu.id)) return false
  return (await serversAround(rt, target, pdu.roomId)).includes(origin)
}

/** Records that an invite was retracted or a knock rejected; an event without valid signatures is dropped. */
export async function takeWithdrawal(rt: Checker, room: RoomContext, pdu: Pdu): Promise<void> {
  const [event] = await verified(rt, [pdu], room.version)
  if (event) await rt.db.write((tx) => recordOutside(tx, rt, room, { event }))
}
