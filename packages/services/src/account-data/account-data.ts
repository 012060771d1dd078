// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes, isRoomId } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import {
  accountDataOf,
  accountDataSize,
  deleteAccountData,
  ENTRY_OVERHEAD_BYTES,
  putAccountData,
} from '@myelin/storage/accounts/account-data'
import type { AccountData } from '@myelin/storage/accounts/account-data'
import type { Tx } from '@myelin/storage/engine/database'
import type { Runtime } from '../runtime/runtime.ts'
import { rulesOf } from './push-rules.ts'

/** An entry of a user's account data; a global one without a room. */
export interface EntryName {
  readonly userId: UserId
  readonly roomId: string | undefined
  readonly type: string
}

/** Entries travel whole through `/sync` whenever they change, and all together in an initial one. */
const MAX_ENTRY_BYTES = 256 * 1024
const MAX_USER_BYTES = 4 * 1024 * 1024

/** The types that only endpoints of their own write. */
const OURS = new Map([
  ['m.fully_read', 'set it with /read_markers'],
  ['m.push_rules', 'change it with /pushrules'],
])

/**
 * Stores an entry in place of the one of the same type. An empty object deletes the entry (MSC3391).
 *
 * @throws MatrixError `M_TOO_LARGE` for more than 256 KiB in an entry, or 4 MiB in all entries of the user
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridaccount_datatype
 */
export async function setAccountData(rt: Pick<Runtime, 'db'>, name: EntryName, content: JsonObject): Promise<void> {
  if (Object.keys(content).length === 0) return removeAccountData(rt, name)
  const entry = writable(name)
  if (bytesOf(content) > MAX_ENTRY_BYTES) {
    throw new MatrixError('M_TOO_LARGE', 'an entry of account data has at most 256 KiB')
  }
  await rt.db.write((tx) => putBounded(tx, { ...entry, content }))
}

/**
 * Puts an entry in place of the one of the same type, unless the user's entries have more than 4 MiB then: `M_TOO_LARGE`. An
 * entry that shrinks is always stored, so that a user beyond the limit can get below it.
 */
export async function putBounded(tx: Tx, entry: AccountData): Promise<void> {
  const { totalBytes, entryBytes } = await accountDataSize(tx, entry)
  const bytes = bytesOf(entry.content) + Buffer.byteLength(entry.type) + ENTRY_OVERHEAD_BYTES
  if (bytes > entryBytes && totalBytes - entryBytes + bytes > MAX_USER_BYTES) {
    throw new MatrixError('M_TOO_LARGE', 'the account data of a user has at most 4 MiB')
  }
  await putAccountData(tx, entry)
}

/**
 * Deletes an entry; has no effect if there is none.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3391
 */
export async function removeAccountData(rt: Pick<Runtime, 'db'>, name: EntryName): Promise<void> {
  const entry = writable(name)
  await rt.db.write((tx) => deleteAccountData(tx, entry))
}

function writable(name: EntryName): CheckedName {
  const entry = checked(name)
  const otherWay = OURS.get(name.type)
  if (otherWay === undefined) return entry
  throw new MatrixError('M_BAD_JSON', `${name.type} is written by the server: ${otherWay}`, { status: 405 })
}

const bytesOf = (content: JsonObject) => Buffer.byteLength(JSON.stringify(content))

/** Returns an entry's content; throws `M_NOT_FOUND` if there is none. */
export async function readAccountData(rt: Pick<Runtime, 'db' | 'config'>, name: EntryName): Promise<JsonObject> {
  const { userId, roomId, type } = checked(name)
  if (type === 'm.push_rules' && roomId === '') return { global: await rulesOf(rt.db.read, userId, rt.config.push) }
  const content = await accountDataOf(rt.db.read, userId, roomId, type)
  if (content) return content
  throw new MatrixError('M_NOT_FOUND', roomId === '' ? 'Account data not found' : 'Room account data not found')
}

type CheckedName = { readonly userId: UserId; readonly roomId: RoomId | ''; readonly type: string }

function checked({ userId, roomId, type }: EntryName): CheckedName {
  if (type === '' || type.includes('\0') || !fitsBytes(type, 255)) {
    throw new MatrixError('M_INVALID_PARAM', 'a type must have 1 to 255 bytes')
  }
  return { userId, roomId: roomId === undefined ? '' : checkedRoomId(roomId), type }
}

/** Returns the room ID of a path; throws `M_INVALID_PARAM` if it is malformed. The room may be unknown. */
export function checkedRoomId(text: string): RoomId {
  if (!isRoomId(text)) throw new MatrixError('M_INVALID_PARAM', 'not a valid room ID')
  return text
}
