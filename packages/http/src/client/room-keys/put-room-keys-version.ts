// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { updateBackup } from '@myelin/services/keys/key-backup'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { OptionalText } from '../../schemas.ts'
import { definitionMembers, VERSION, VersionParams } from './version-schemas.ts'

/**
 * Replaces the authentication data of a backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keysversionversion
 */
export const putRoomKeysVersion = endpoint({
  id: 'putRoomKeysVersion',
  method: 'PUT',
  path: VERSION,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  params: VersionParams,
  body: Type.Object({ ...definitionMembers, version: OptionalText }),
  reply: EmptySchema,

  async handle({ params, body: { algorithm, auth_data: authData, version }, requester }, rt) {
    if (version !== undefined && version !== params.version) {
      throw new MatrixError('M_INVALID_PARAM', '`version` in the body must equal the version in the path')
    }
    await updateBackup(rt, requester.userId, params.version, { algorithm, authData })
    return {}
  },
})
