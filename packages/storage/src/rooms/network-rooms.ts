// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Tx } from '../engine/database.ts'
import { roomNid } from '../engine/names.ts'

/** A network of an application service, which has a room directory of its own. */
export interface Network {
  readonly serviceId: string
  readonly networkId: string
}

/** Lists a room in the directory of a network; does nothing for an unknown room. */
export async function listInNetwork(tx: Tx, { serviceId, networkId }: Network, roomId: RoomId): Promise<void> {
  const nid = await roomNid(tx, roomId)
  if (nid === undefined) return
  await tx
    .insertInto('network_rooms')
    .values({ service_id: serviceId, network_id: networkId, room_nid: nid })
    .onConflict((at) => at.doNothing())
    .execute()
}

/** Removes a room from the directory of a network. */
export async function unlistInNetwork(tx: Tx, { serviceId, networkId }: Network, roomId: RoomId): Promise<void> {
  const nid = await roomNid(tx, roomId)
  if (nid === undefined) return
  await tx
    .deleteFrom('network_rooms')
    .where('service_id', '=', serviceId)
    .where('network_id', '=', networkId)
    .where('room_nid', '=', nid)
    .execute()
}
