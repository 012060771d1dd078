// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { member } from '@myelin/matrix/json'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { FIELD_PATHS, FieldParams } from './field-params.ts'
import { PropagationQuery, publishProfileChange } from './publish-profile-change.ts'

/**
 * Sets a field of the requester's profile.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3profileuseridkeyname
 */
export const setProfileField = endpoint({
  id: 'setProfileField',
  method: 'PUT',
  path: FIELD_PATHS,
  access: 'guest',
  maxBodyBytes: MAX_BODY_BYTES.content,
  params: FieldParams,
  query: PropagationQuery,
  body: JsonObjectSchema,
  bodyIsCanonical: true,
  reply: EmptySchema,

  async handle({ params: { userId, keyName }, query, body, requester }, rt) {
    const value = member(body, keyName)
    if (value === undefined) throw new MatrixError('M_MISSING_PARAM', `the body must have the member \`${keyName}\``)
    return publishProfileChange(rt, requester, query, { userId, key: keyName, value })
  },
})
