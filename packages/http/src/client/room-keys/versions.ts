// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { createBackup, deleteBackup, readBackup, updateBackup } from '@myelin/services/keys/key-backup'
import type { BackupSummary } from '@myelin/services/keys/key-backup'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'

const VersionParams = Type.Object({ version: Type.String() })
const definition = {
  algorithm: Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\u0000]*$' }),
  auth_data: JsonObjectSchema,
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3room_keysversion */
export const postRoomKeysVersion = endpoint({
  id: 'postRoomKeysVersion',
  method: 'POST',
  path: '/_matrix/client/v3/room_keys/version',
  access: 'user',
  body: Type.Object(definition),

  async handle({ body: { algorithm, auth_data: authData }, requester }, rt) {
    return { version: await createBackup(rt, requester.userId, { algorithm, authData }) }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversion */
export const getRoomKeysVersionCurrent = endpoint({
  id: 'getRoomKeysVersionCurrent',
  method: 'GET',
  path: '/_matrix/client/v3/room_keys/version',
  access: 'user',

  handle: async ({ requester }, rt) => summaryBody(await readBackup(rt, requester.userId)),
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversionversion */
export const getRoomKeysVersion = endpoint({
  id: 'getRoomKeysVersion',
  method: 'GET',
  path: '/_matrix/client/v3/room_keys/version/:version',
  access: 'user',
  params: VersionParams,

  handle: async ({ params, requester }, rt) => summaryBody(await readBackup(rt, requester.userId, params.version)),
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keysversionversion */
export const putRoomKeysVersion = endpoint({
  id: 'putRoomKeysVersion',
  method: 'PUT',
  path: '/_matrix/client/v3/room_keys/version/:version',
  access: 'user',
  params: VersionParams,
  body: Type.Object({ ...definition, version: Type.Optional(Type.String()) }),

  async handle({ params, body: { algorithm, auth_data: authData, version }, requester }, rt) {
    if (version !== undefined && version !== params.version) {
      throw new MatrixError('M_INVALID_PARAM', 'the body names another version than the path')
    }
    await updateBackup(rt, requester.userId, params.version, { algorithm, authData })
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keysversionversion */
export const deleteRoomKeysVersion = endpoint({
  id: 'deleteRoomKeysVersion',
  method: 'DELETE',
  path: '/_matrix/client/v3/room_keys/version/:version',
  access: 'user',
  params: VersionParams,

  async handle({ params, requester }, rt) {
    await deleteBackup(rt, requester.userId, params.version)
    return {}
  },
})

function summaryBody({ version, algorithm, authData, etag, count }: BackupSummary) {
  return { algorithm, auth_data: authData, count, etag, version }
}
