// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { oneOf, RoomIdSchema } from '../../schemas.ts'

/** The path of a room's entry in the directory. */
export const DIRECTORY_ENTRY = '/_matrix/client/v3/directory/list/room/:roomId'
/** The parameters of {@link DIRECTORY_ENTRY}. */
export const DirectoryEntryParams = Type.Object({ roomId: RoomIdSchema })
/** The schema for publishing a room in the directory or removing it. */
export const VisibilitySchema = oneOf(['public', 'private'])
