// SPDX-License-Identifier: Apache-2.0
import { rtcTransports } from '@myelin/services/calls/rtc-transports'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'

/**
 * Returns the transports of calls that this server offers.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4143
 */
export const getRtcTransports = endpoint({
  id: 'getRtcTransports',
  method: 'GET',
  path: '/_matrix/client/unstable/org.matrix.msc4143/rtc/transports',
  access: 'guest',
  reply: Type.Object({ rtc_transports: Type.Array(ObjectSchema) }),

  handle: async (_, rt) => ({ rtc_transports: [...rtcTransports(rt.config)] }),
})
