// SPDX-License-Identifier: Apache-2.0
import type { DirectoryQuery } from '@myelin/services/room-state/directory-page'
import { Type } from 'typebox'
import type { Static } from 'typebox'

const Text = Type.Optional(Type.String())

/** What clients and servers send to search a room directory. */
export const DirectoryBody = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  since: Text,
  filter: Type.Optional(
    Type.Object({
      generic_search_term: Text,
      room_types: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Null()]))),
    }),
  ),
  include_all_networks: Type.Optional(Type.Boolean()),
  third_party_instance_id: Text,
})

/** The same in our words. */
export function directoryQueryOf(body: Static<typeof DirectoryBody>): DirectoryQuery {
  return {
    limit: body.limit,
    since: body.since,
    term: body.filter?.generic_search_term,
    roomTypes: body.filter?.room_types,
    network: body.include_all_networks === true ? undefined : body.third_party_instance_id,
  }
}
