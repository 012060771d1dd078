// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import { listInNetwork, unlistInNetwork } from '@myelin/storage/rooms/network-rooms'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import type { DirectoryVisibility } from './visibility.ts'

/**
 * Lists a room in the directory of a network of the requesting application service, or removes it.
 *
 * @throws MatrixError `M_FORBIDDEN` for other requesters, `M_NOT_FOUND` for an unknown room
 * @see https://spec.matrix.org/v1.19/application-service-api/#put_matrixclientv3directorylistappservicenetworkidroomid
 */
export async function setNetworkVisibility(
  rt: Pick<Runtime, 'db'>,
  { appService }: Requester,
  entry: { readonly networkId: string; readonly roomId: RoomId; readonly visibility: DirectoryVisibility },
): Promise<void> {
  if (!appService) throw new MatrixError('M_FORBIDDEN', 'only application services have directories of networks')
  const place = { serviceId: appService.settings.id, networkId: entry.networkId }
  await rt.db.write(async (tx) => {
    if (!(await roomById(tx, entry.roomId))) throw new MatrixError('M_NOT_FOUND', 'no such room')
    await (entry.visibility === 'public' ? listInNetwork : unlistInNetwork)(tx, place, entry.roomId)
  })
}
