// SPDX-License-Identifier: Apache-2.0
import { RawJson } from '@myelin/kit/raw-json'
import { dehydratedEvents } from '@myelin/services/keys/dehydrated-events'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { encodedObject, openObject } from '../../reply-schemas.ts'
import { OptionalLimit, OptionalText } from '../../schemas.ts'
import { DEHYDRATED_EVENTS, DehydratedEventsParams } from './dehydrated-device-paths.ts'

/**
 * Returns messages to the requester's dehydrated device; without `next_batch` there are no more.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814
 */
export const getDehydratedDeviceEvents = endpoint({
  id: 'getDehydratedDeviceEvents',
  method: 'GET',
  path: DEHYDRATED_EVENTS,
  access: 'user',
  params: DehydratedEventsParams,
  query: Type.Object({ from: OptionalText, limit: OptionalLimit }),
  reply: encodedObject(
    Type.Object({ events: Type.Array(openObject({ type: Type.String() })), next_batch: OptionalText }),
  ),

  async handle({ params: { deviceId }, query: { from, limit }, requester }, rt) {
    const { messages, nextBatch, hasMore } = await dehydratedEvents(rt, requester, deviceId, { from, limit })
    return {
      events: messages.map((message) => new RawJson(message)),
      ...(hasMore ? { next_batch: nextBatch } : {}),
    }
  },
})
