// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { accountDataOfRoom } from '@myelin/storage/accounts/account-data'
import type { EncodedAccountData } from '@myelin/storage/accounts/account-data'
import { pushRulesEntry } from '../../sections/account-data.ts'
import type { SyncScope } from '../../sync-scope.ts'
import { checkRooms, roomsFor } from './extension.ts'
import type { SlidingExtension } from './extension.ts'

/**
 * `account_data`: the user's global account data that changed, and that of the rooms that are shown.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3959
 */
export const accountDataExtension: SlidingExtension = {
  name: 'account_data',
  memory: 'accountData',
  begin: async (_rt, _requester, config) => checkRooms(config),
  async read(scope, config) {
    const global = [...(await pushRulesEntry(scope.sync)), ...(await globalEntries(scope.sync)).map(entry)]
    const changed = scope.sync.slice.since === undefined ? [] : await scope.sync.accountData()
    const changes = Map.groupBy(changed, ({ roomId }) => roomId)
    const rooms: Record<string, object[]> = {}
    for (const { roomId, after } of roomsFor(scope, config, 'accountData')) {
      // A room that is not up to date is read by itself.
      const isUpToDate = after > 0 && after >= scope.sync.after
      const entries = isUpToDate ? changes.get(roomId) : await entriesAfter(scope.sync, roomId, after)
      if (entries && entries.length > 0) rooms[roomId] = entries.map(entry)
    }
    return { value: { global, rooms }, hasNews: global.length > 0 || Object.keys(rooms).length > 0 }
  },
}

const entry = ({ type, content }: EncodedAccountData) => ({ type, content })

async function globalEntries(sync: SyncScope): Promise<readonly EncodedAccountData[]> {
  if (sync.slice.since === undefined) return accountDataOfRoom(sync.db, sync.slice.user, '', sync.upTo)
  return (await sync.accountData()).filter(({ roomId }) => roomId === '')
}

const entriesAfter = ({ db, slice, upTo }: SyncScope, roomId: RoomId, after: number) =>
  accountDataOfRoom(db, slice.user, roomId, upTo, after)
