// SPDX-License-Identifier: Apache-2.0
import { RawJson } from '@myelin/kit/raw-json'
import { dehydratedEvents } from '@myelin/services/keys/dehydrated-events'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { encodedObject, openObject } from '../../reply-schemas.ts'
import { OptionalLimit } from '../../schemas.ts'
import { DEHYDRATED_EVENTS, DehydratedEventsParams } from './dehydrated-device-paths.ts'

/**
 * Returns messages to the requester's dehydrated device: the older form, whose clients ask until they get none.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814
 */
export const queryDehydratedDeviceEvents = endpoint({
  id: 'queryDehydratedDeviceEvents',
  method: 'POST',
  path: DEHYDRATED_EVENTS,
  access: 'user',
  params: DehydratedEventsParams,
  query: Type.Object({ limit: OptionalLimit }),
  body: Type.Object({ next_batch: optionalOrNull(Type.String()) }),
  reply: encodedObject(
    Type.Object({ events: Type.Array(openObject({ type: Type.String() })), next_batch: Type.String() }),
  ),

  async handle({ params: { deviceId }, query: { limit }, body, requester }, rt) {
    const page = await dehydratedEvents(rt, requester, deviceId, { from: body.next_batch, limit })
    return { events: page.messages.map((message) => new RawJson(message)), next_batch: page.nextBatch }
  },
})
