// SPDX-License-Identifier: Apache-2.0
import type { Json } from '@myelin/matrix/json'
import { takeBinding } from '@myelin/services/federation/membership/third-party-invite'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { UserIdSchema } from '../../schemas.ts'

/**
 * Invites a user to the rooms to which their third-party identifier was invited before it was bound. The method is PUT in the
 * spec, and POST in identity servers.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv13pidonbind
 */
export const onBindThirdPartyIdentifier = (['PUT', 'POST'] as const).map((method) =>
  endpoint({
    id: 'onBindThirdPartyIdentifier',
    method,
    path: '/_matrix/federation/v1/3pid/onbind',
    access: 'none',
    maxBodyBytes: MAX_BODY_BYTES.document,
    body: Type.Object({ mxid: UserIdSchema, invites: Type.Array(Type.Unknown()) }),
    reply: EmptySchema,

    async handle({ body }, rt) {
      // A value in parsed JSON is JSON.
      await takeBinding(rt, body.mxid, body.invites as Json[])
      return {}
    },
  }),
)
