// SPDX-License-Identifier: Apache-2.0
import { accountDataOfRoom } from '@myelin/storage/accounts/account-data'
import type { EncodedAccountData } from '@myelin/storage/accounts/account-data'
import { passesType } from '../../room-state/event-filter.ts'
import type { RoomScope, RoomSection } from './room-section.ts'

/** `account_data` of a room: the user's entries for it, tags included. */
export const roomAccountDataSection: RoomSection = {
  async read(room) {
    const { roomAccountData } = room.scope.slice.request.filter
    const events = (await entriesOf(room))
      .filter(({ type }) => passesType(type, roomAccountData))
      .map(({ type, content }) => ({ type, content }))
    return { members: { account_data: { events } }, hasChanged: events.length > 0 }
  },
}

/** Returns the changed entries; all entries for a client that does not know the room. */
async function entriesOf({ scope, membership, isNew }: RoomScope): Promise<readonly EncodedAccountData[]> {
  const { roomId } = membership
  if (isNew) return accountDataOfRoom(scope.db, scope.slice.user, roomId, scope.upTo)
  return (await scope.accountData()).filter((each) => each.roomId === roomId)
}
