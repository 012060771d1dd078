// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { DELAYED_EVENT_ACTIONS, manageDelayedEvent } from '@myelin/services/rooms/delayed/manage-events'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { DELAYED_EVENTS, DelayedEventParams } from './delayed-event-schemas.ts'

/**
 * Restarts, cancels or sends one of the requester's delayed events; the form of earlier drafts, with the action in the body.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export const updateDelayedEvent = endpoint({
  id: 'updateDelayedEvent',
  method: 'POST',
  path: `${DELAYED_EVENTS}/:delayId`,
  access: 'guest',
  params: DelayedEventParams,
  body: Type.Object({ action: Type.String() }),
  reply: EmptySchema,

  async handle({ params: { delayId }, body, requester }, rt) {
    const action = DELAYED_EVENT_ACTIONS.find((each) => each === body.action)
    if (!action)
      throw new MatrixError('M_INVALID_PARAM', `\`action\` must be one of ${DELAYED_EVENT_ACTIONS.join(', ')}`)
    await manageDelayedEvent(rt, requester.userId, delayId, action)
    return {}
  },
})
