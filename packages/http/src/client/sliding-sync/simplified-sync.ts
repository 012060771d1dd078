// SPDX-License-Identifier: Apache-2.0
import { requiredStateOfPairs } from '@myelin/services/sync/sliding/required-state'
import type { RoomConfig } from '@myelin/services/sync/sliding/sliding-request'
import { slidingSync } from '@myelin/services/sync/sliding/response/sliding-sync'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { OptionalLimit, OptionalText } from '../../schemas.ts'
import { SimplifiedSyncReply } from './sliding-replies.ts'
import {
  byRoom,
  ConnIdSchema,
  entriesOf,
  ExtensionsSchema,
  filterMembers,
  listsOf,
  patternsOf,
  RangeSchema,
  SetPresenceSchema,
  SlidingFlag,
  StatePairSchema,
  subscriptionsOf,
  TimelineLimitSchema,
} from './sliding-schemas.ts'

const roomConfig = {
  timeline_limit: TimelineLimitSchema,
  required_state: Type.Optional(patternsOf(StatePairSchema)),
}
const ListSchema = Type.Object({
  ...roomConfig,
  ranges: optionalOrNull(Type.Array(RangeSchema, { maxItems: 20 })),
  slow_get_all_rooms: SlidingFlag,
  filters: optionalOrNull(
    Type.Object({
      ...filterMembers,
      is_invite: SlidingFlag,
      room_name_like: optionalOrNull(Type.String()),
    }),
  ),
})
const SubscriptionSchema = Type.Object(roomConfig)
const MAX_SUBSCRIPTIONS = 1000

/**
 * Returns what changed in the rooms that a client looks at, in the form that clients have used since before MSC4186 was merged.
 * Waits for a change up to `timeout` milliseconds.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md#unstable-prefix
 */
export const simplifiedSync = endpoint({
  id: 'simplifiedSync',
  method: 'POST',
  path: '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
  access: 'guest',
  query: Type.Object({ pos: OptionalText, timeout: OptionalLimit, set_presence: SetPresenceSchema }),
  body: Type.Object({
    conn_id: ConnIdSchema,
    lists: listsOf(ListSchema, '^[^\\u0000]{0,64}$'),
    room_subscriptions: subscriptionsOf(SubscriptionSchema, MAX_SUBSCRIPTIONS),
    extensions: ExtensionsSchema,
  }),
  maxBodyBytes: MAX_BODY_BYTES.content,
  reply: SimplifiedSyncReply,

  async handle({ query, body, requester, signal }, rt) {
    const configOf = (config: Static<typeof SubscriptionSchema>): RoomConfig => ({
      timelineLimit: config.timeline_limit,
      requiredState: requiredStateOfPairs(config.required_state ?? [], requester.userId),
    })
    const request = {
      requester,
      dialect: 'msc3575' as const,
      pos: query.pos,
      connId: body.conn_id ?? '',
      timeoutMs: query.timeout ?? 0,
      presence: query.set_presence ?? 'online',
      lists: new Map(entriesOf(body.lists).map(([name, list]) => [name, { ...configOf(list), ...selectionOf(list) }])),
      subscriptions: byRoom(body.room_subscriptions, configOf),
      extensions: new Map(entriesOf(body.extensions)),
    }
    return slidingSync(rt, request, signal)
  },
})

/** Returns the ranges and the filters of a list. */
function selectionOf({ ranges, slow_get_all_rooms: isWhole, filters = {} }: Static<typeof ListSchema>) {
  return {
    ranges: isWhole ? undefined : ranges,
    filters: {
      isDm: filters.is_dm,
      isEncrypted: filters.is_encrypted,
      isInvited: filters.is_invite,
      spaces: filters.spaces,
      roomTypes: filters.room_types,
      notRoomTypes: filters.not_room_types,
      roomNameLike: filters.room_name_like,
      tags: filters.tags,
      notTags: filters.not_tags,
    },
  }
}
