// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'

/**
 * Refuses queries of types the spec does not have.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryquerytype
 */
export const queryInfo = endpoint({
  id: 'queryInfo',
  method: 'GET',
  path: '/_matrix/federation/v1/query/:queryType',
  access: 'server',
  params: Type.Object({ queryType: Type.String() }),
  reply: ObjectSchema,

  handle: async ({ params }) => {
    throw new MatrixError('M_NOT_FOUND', `unknown query type: ${params.queryType}`)
  },
})
