// SPDX-License-Identifier: Apache-2.0
import { supportWellKnown } from '@myelin/services/accounts/well-known'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { encodedObject } from '../../reply-schemas.ts'
import { OptionalText } from '../../schemas.ts'
import { requireDocument } from '../../require-document.ts'

const Contact = Type.Object({ role: Type.String(), matrix_id: OptionalText, email_address: OptionalText })

/**
 * Returns how to contact the admins of this server.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixsupport
 */
export const getWellknownSupport = endpoint({
  id: 'getWellknownSupport',
  method: 'GET',
  path: '/.well-known/matrix/support',
  access: 'none',
  reply: encodedObject(Type.Object({ contacts: Type.Optional(Type.Array(Contact)), support_page: OptionalText })),

  handle: async (_, rt) => requireDocument(supportWellKnown(rt)),
})
