// SPDX-License-Identifier: Apache-2.0
import type { Json } from '@myelin/matrix/json'
import { receiveTransaction } from '@myelin/services/federation/receive/transaction'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { encodedObject, recordOf } from '../../reply-schemas.ts'
import { OptionalText } from '../../schemas.ts'

/**
 * Accepts a transaction of events and ephemeral data.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1sendtxnid
 */
export const sendTransaction = endpoint({
  id: 'sendTransaction',
  method: 'PUT',
  path: '/_matrix/federation/v1/send/:txnId',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.transaction,
  limitsItself: true,
  params: Type.Object({ txnId: Type.String({ maxLength: 255 }) }),
  body: Type.Object({
    pdus: Type.Optional(Type.Array(Type.Unknown())),
    edus: Type.Optional(Type.Array(Type.Unknown())),
  }),
  reply: encodedObject(Type.Object({ pdus: recordOf(Type.Object({ error: OptionalText })) })),

  async handle({ params: { txnId }, body, origin, signal }, rt) {
    // A value in parsed JSON is JSON.
    const { pdus = [], edus = [] } = body as { pdus?: Json[]; edus?: Json[] }
    return receiveTransaction(rt, { origin, txnId, pdus, edus, signal })
  },
})
