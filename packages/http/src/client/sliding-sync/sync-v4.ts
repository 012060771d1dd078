// SPDX-License-Identifier: Apache-2.0
import type { RoomConfig } from '@myelin/services/sync/sliding/sliding-request'
import { slidingSync } from '@myelin/services/sync/sliding/response/sliding-sync'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { OptionalLimit, OptionalText } from '../../schemas.ts'
import { SyncV4Reply } from './sliding-replies.ts'
import {
  byRoom,
  CappedLimitSchema,
  ConnIdSchema,
  entriesOf,
  ExtensionsSchema,
  filterMembers,
  listsOf,
  patternsOf,
  RangeSchema,
  SetPresenceSchema,
  SlidingFlag,
  subscriptionsOf,
} from './sliding-schemas.ts'

const Patterns = Type.Optional(patternsOf(Type.Object({ type: OptionalText, state_key: OptionalText })))
const roomConfig = {
  timeline_limit: CappedLimitSchema,
  required_state: Type.Object({
    include: Patterns,
    exclude: Patterns,
    lazy_members: Type.Optional(Type.Boolean()),
  }),
}
const ListSchema = Type.Object({
  ...roomConfig,
  range: optionalOrNull(RangeSchema),
  filters: optionalOrNull(Type.Object({ ...filterMembers, is_invited: SlidingFlag })),
})
const SubscriptionSchema = Type.Object(roomConfig)

const MAX_SUBSCRIPTIONS = 100
const MAX_TIMELINE = 1000

/**
 * Returns what changed in the rooms that a client looks at, as MSC4186 was merged. Waits for a change up to `timeout`
 * milliseconds.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md
 */
export const syncV4 = endpoint({
  id: 'syncV4',
  method: 'POST',
  path: '/_matrix/client/v4/sync',
  access: 'guest',
  body: Type.Object({
    conn_id: ConnIdSchema,
    pos: optionalOrNull(Type.String()),
    timeout: optionalOrNull(OptionalLimit),
    set_presence: optionalOrNull(SetPresenceSchema),
    // The grammar of opaque identifiers.
    lists: listsOf(ListSchema, '^[0-9a-zA-Z._~-]{1,255}$'),
    room_subscriptions: subscriptionsOf(SubscriptionSchema, MAX_SUBSCRIPTIONS),
    extensions: ExtensionsSchema,
  }),
  maxBodyBytes: MAX_BODY_BYTES.content,
  reply: SyncV4Reply,

  async handle({ body, requester, signal }, rt) {
    const request = {
      requester,
      dialect: 'v4' as const,
      pos: body.pos,
      connId: body.conn_id ?? '',
      timeoutMs: body.timeout ?? 0,
      presence: body.set_presence ?? 'online',
      lists: new Map(entriesOf(body.lists).map(([name, list]) => [name, { ...configOf(list), ...selectionOf(list) }])),
      subscriptions: byRoom(body.room_subscriptions, configOf),
      extensions: new Map(entriesOf(body.extensions)),
    }
    return slidingSync(rt, request, signal)
  },
})

function configOf({ timeline_limit: limit, required_state: state }: Static<typeof SubscriptionSchema>): RoomConfig {
  const patternOf = ({ type, state_key: stateKey }: { type?: string; state_key?: string }) => ({
    ...(type === undefined ? {} : { type }),
    ...(stateKey === undefined ? {} : { stateKey }),
  })
  return {
    timelineLimit: Math.min(limit, MAX_TIMELINE),
    requiredState: {
      include: (state.include ?? []).map(patternOf),
      exclude: (state.exclude ?? []).map(patternOf),
      lazyMembers: state.lazy_members ?? false,
    },
  }
}

/** Returns the range and the filters of a list. */
function selectionOf({ range, filters = {} }: Static<typeof ListSchema>) {
  return {
    ranges: range && [range],
    filters: {
      isDm: filters.is_dm,
      isEncrypted: filters.is_encrypted,
      isInvited: filters.is_invited,
      spaces: filters.spaces,
      roomTypes: filters.room_types,
      notRoomTypes: filters.not_room_types,
      tags: filters.tags,
      notTags: filters.not_tags,
    },
  }
}
