// SPDX-License-Identifier: Apache-2.0
import type { DirectoryQuery } from '@myelin/services/room-state/directory-page'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { optionalOrNull } from './optional-or-null.ts'
import { OptionalLimit } from './schemas.ts'

/** The body of a room directory search, sent by clients and by servers. */
export const DirectorySearch = Type.Object({
  limit: OptionalLimit,
  since: optionalOrNull(Type.String()),
  filter: optionalOrNull(
    Type.Object({
      generic_search_term: optionalOrNull(Type.String()),
      room_types: optionalOrNull(Type.Array(Type.Union([Type.String(), Type.Null()]))),
    }),
  ),
  include_all_networks: optionalOrNull(Type.Boolean()),
  third_party_instance_id: optionalOrNull(Type.String()),
})

/** Returns the query of a {@link DirectorySearch}. */
export function directoryQueryOf(body: Static<typeof DirectorySearch>): DirectoryQuery {
  return {
    limit: body.limit,
    since: body.since,
    term: body.filter?.generic_search_term,
    roomTypes: body.filter?.room_types,
    network: body.third_party_instance_id,
    isOfAllNetworks: body.include_all_networks,
  }
}
