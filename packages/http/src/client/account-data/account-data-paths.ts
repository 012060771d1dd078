// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'

/** The path of an entry that belongs to no room. */
export const GLOBAL_ENTRY = '/_matrix/client/v3/user/:userId/account_data/:type'
/** The path of an entry that belongs to a room. */
export const ROOM_ENTRY = '/_matrix/client/v3/user/:userId/rooms/:roomId/account_data/:type'
/** The path on which an entry that belongs to no room is deleted. */
export const DELETED_GLOBAL_ENTRY = '/_matrix/client/unstable/org.matrix.msc3391/user/:userId/account_data/:type'
/** The path on which an entry that belongs to a room is deleted. */
export const DELETED_ROOM_ENTRY =
  '/_matrix/client/unstable/org.matrix.msc3391/user/:userId/rooms/:roomId/account_data/:type'
/** The parameters of {@link GLOBAL_ENTRY}. */
export const GlobalEntryParams = Type.Object({ userId: Type.String(), type: Type.String() })
/** The parameters of {@link ROOM_ENTRY}. */
export const RoomEntryParams = Type.Object({ userId: Type.String(), roomId: Type.String(), type: Type.String() })

/** The path of one tag of a room. */
export const TAG = '/_matrix/client/v3/user/:userId/rooms/:roomId/tags/:tag'
/** The parameters of {@link TAG}. */
export const TagParams = Type.Object({ userId: Type.String(), roomId: Type.String(), tag: Type.String() })
