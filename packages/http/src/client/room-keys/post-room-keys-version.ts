// SPDX-License-Identifier: Apache-2.0
import { createBackup } from '@myelin/services/keys/key-backup'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { definitionMembers, VERSIONS } from './version-schemas.ts'

/**
 * Creates a backup and returns its version.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3room_keysversion
 */
export const postRoomKeysVersion = endpoint({
  id: 'postRoomKeysVersion',
  method: 'POST',
  path: VERSIONS,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  body: Type.Object(definitionMembers),
  reply: Type.Object({ version: Type.String() }),

  async handle({ body: { algorithm, auth_data: authData }, requester }, rt) {
    return { version: await createBackup(rt, requester.userId, { algorithm, authData }) }
  },
})
