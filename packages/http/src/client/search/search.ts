// SPDX-License-Identifier: Apache-2.0
import { eventFilterOf } from '@myelin/services/room-state/event-filter'
import { searchEvents } from '@myelin/services/search/search'
import { GROUP_KEYS, SEARCH_ORDERS } from '@myelin/services/search/search-request'
import type { SearchRequest } from '@myelin/services/search/search-request'
import { SEARCH_KEYS } from '@myelin/services/search/tokens'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { encodedObject } from '../../reply-schemas.ts'
import { JsonObjectSchema, OptionalLimit, OptionalText, oneOf } from '../../schemas.ts'
import { FoundEventsSchema } from './search-reply.ts'

const Criteria = Type.Object({
  search_term: Type.String({ maxLength: 1_024 }),
  keys: Type.Optional(Type.Array(oneOf(SEARCH_KEYS), { maxItems: 16 })),
  filter: Type.Optional(JsonObjectSchema),
  order_by: Type.Optional(oneOf(SEARCH_ORDERS)),
  event_context: Type.Optional(
    Type.Object({
      before_limit: OptionalLimit,
      after_limit: OptionalLimit,
      include_profile: Type.Optional(Type.Boolean()),
    }),
  ),
  include_state: Type.Optional(Type.Boolean()),
  groupings: Type.Optional(
    Type.Object({
      group_by: Type.Optional(Type.Array(Type.Object({ key: oneOf(GROUP_KEYS) }), { maxItems: 16 })),
    }),
  ),
})

const DEFAULT_CONTEXT = 5

/**
 * Returns a page of events whose text matches a search term.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search
 */
export const search = endpoint({
  id: 'search',
  method: 'POST',
  path: '/_matrix/client/v3/search',
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  query: Type.Object({ next_batch: OptionalText }),
  body: Type.Object({ search_categories: Type.Object({ room_events: Type.Optional(Criteria) }) }),
  reply: Type.Object({
    search_categories: Type.Object({ room_events: Type.Optional(encodedObject(FoundEventsSchema)) }),
  }),

  async handle({ body, query, requester }, rt) {
    const criteria = body.search_categories.room_events
    // Without a category there is nothing to search in.
    const found = criteria && (await searchEvents(rt, requester, requestOf(criteria, query.next_batch)))
    return { search_categories: found ? { room_events: found } : {} }
  },
})

function requestOf(criteria: Static<typeof Criteria>, nextBatch: string | undefined): SearchRequest {
  const { event_context: context, groupings } = criteria
  return {
    term: criteria.search_term,
    keys: [...new Set(criteria.keys ?? SEARCH_KEYS)],
    filter: eventFilterOf(criteria.filter),
    order: criteria.order_by ?? 'rank',
    context: context && {
      before: context.before_limit ?? DEFAULT_CONTEXT,
      after: context.after_limit ?? DEFAULT_CONTEXT,
      includesProfile: context.include_profile ?? false,
    },
    includesState: criteria.include_state ?? false,
    groupBy: [...new Set((groupings?.group_by ?? []).map(({ key }) => key))],
    nextBatch,
  }
}
