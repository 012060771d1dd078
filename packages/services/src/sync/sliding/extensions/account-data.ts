// SPDX-License-Identifier: Apache-2.0
import { accountDataOfRoom } from '@myelin/storage/accounts/account-data'
import type { EncodedAccountData } from '@myelin/storage/accounts/account-data'
import { pushRulesEntry } from '../../sections/account-data.ts'
import type { SyncScope } from '../../sync-scope.ts'
import type { AnsweredScope } from '../sliding-scope.ts'
import { checkRooms, roomsFor } from './extension.ts'
import type { ExtensionRoom, SlidingExtension } from './extension.ts'

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
    const rooms: Record<string, object[]> = {}
    for (const room of roomsFor(scope, config, 'accountData')) {
      const entries = await roomEntries(scope, room)
      if (entries.length > 0) rooms[room.roomId] = entries.map(entry)
    }
    return { value: { global, rooms }, hasNews: global.length > 0 || Object.keys(rooms).length > 0 }
  },
}

const entry = ({ type, content }: EncodedAccountData) => ({ type, content })

async function globalEntries(sync: SyncScope): Promise<readonly EncodedAccountData[]> {
  if (sync.slice.since === undefined) return accountDataOfRoom(sync.db, sync.slice.user, '', sync.upTo)
  return (await sync.accountData()).filter(({ roomId }) => roomId === '')
}

/** A room that is not up to date is read by itself. */
async function roomEntries(
  { sync }: AnsweredScope,
  { roomId, after }: ExtensionRoom,
): Promise<readonly EncodedAccountData[]> {
  if (after < sync.after || after === 0) return accountDataOfRoom(sync.db, sync.slice.user, roomId, sync.upTo, after)
  return (await sync.accountData()).filter((each) => each.roomId === roomId)
}
