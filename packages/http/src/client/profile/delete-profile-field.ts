// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { FIELD_PATHS, FieldParams } from './field-params.ts'
import { PropagationQuery, publishProfileChange } from './publish-profile-change.ts'

/**
 * Removes a field from the requester's profile.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3profileuseridkeyname
 */
export const deleteProfileField = endpoint({
  id: 'deleteProfileField',
  method: 'DELETE',
  path: FIELD_PATHS,
  access: 'guest',
  params: FieldParams,
  query: PropagationQuery,
  reply: EmptySchema,

  handle: ({ params: { userId, keyName }, query, requester }, rt) =>
    publishProfileChange(rt, requester, query, { userId, key: keyName, value: undefined }),
})
