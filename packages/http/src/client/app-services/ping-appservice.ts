// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { pingAppService as ping } from '@myelin/services/peers/app-service'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'

/**
 * Sends a ping to the application service that asks for it, which so tests its connection.
 *
 * @see https://spec.matrix.org/v1.19/application-service-api/#post_matrixclientv1appserviceappserviceidping
 */
export const pingAppservice = endpoint({
  id: 'pingAppservice',
  method: 'POST',
  path: [
    '/_matrix/client/v1/appservice/:appserviceId/ping',
    '/_matrix/client/unstable/fi.mau.msc2659/appservice/:appserviceId/ping',
  ],
  access: 'user',
  params: Type.Object({ appserviceId: Type.String() }),
  body: Type.Object({ transaction_id: optionalOrNull(Type.String()) }),
  bodyMayBeAbsent: true,
  reply: Type.Object({ duration_ms: Type.Integer() }),

  async handle({ params, body, requester: { appService } }, rt) {
    if (appService?.settings.id !== params.appserviceId) {
      throw new MatrixError('M_FORBIDDEN', 'only an application service may ping itself')
    }
    return { duration_ms: await ping(rt, appService, body.transaction_id) }
  },
})
