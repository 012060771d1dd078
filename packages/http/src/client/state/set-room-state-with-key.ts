// SPDX-License-Identifier: Apache-2.0
import { scheduleEvent } from '@myelin/services/rooms/delayed/schedule-event'
import { setState } from '@myelin/services/rooms/set-state'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { SentReply } from '../../room-replies.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import {
  delayIn,
  EventModifiers,
  refuseModifiers,
  refuseStickyState,
  stickyDurationIn,
  timestampIn,
} from '../events/event-modifiers.ts'
import { STATE_EVENT, StateEventParams } from './state-params.ts'

/**
 * Sends a state event, now or after a delay (MSC4140).
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey
 */
export const setRoomStateWithKey = endpoint({
  id: 'setRoomStateWithKey',
  method: 'PUT',
  path: STATE_EVENT,
  access: 'guest',
  maxBodyBytes: MAX_BODY_BYTES.content,
  marksActive: true,
  bodyIsCanonical: true,
  params: StateEventParams,
  query: EventModifiers,
  body: JsonObjectSchema,
  reply: SentReply,

  async handle({ params, query, body: content, requester }, rt) {
    refuseModifiers(query, requester)
    refuseStickyState(stickyDurationIn(query))
    const { roomId, eventType: type, stateKey = '' } = params
    const delayMs = delayIn(query)
    if (delayMs !== undefined) {
      return { delay_id: await scheduleEvent(rt, requester, { roomId, type, stateKey, content, delayMs }) }
    }
    return {
      event_id: await setState(rt, {
        roomId,
        sender: requester.userId,
        type,
        stateKey,
        content,
        ...timestampIn(query),
      }),
    }
  },
})
