// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'

/** The path of the requester's dehydrated device. */
export const DEHYDRATED_DEVICE = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device'
/** The path of the messages to a dehydrated device. */
export const DEHYDRATED_EVENTS = `${DEHYDRATED_DEVICE}/:deviceId/events`
/** The parameters of {@link DEHYDRATED_EVENTS}. */
export const DehydratedEventsParams = Type.Object({ deviceId: Type.String() })
