// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { isObject, member, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import type { DirectoryPage, DirectoryQuery } from '../room-state/directory-page.ts'
import { askServer, relayedError } from './ask-server.ts'
import type { Asker } from './ask-server.ts'
import { isCount, summaryIn } from './summary.ts'

const MAX_ROOMS = 500
const MAX_BYTES = 4 * 1024 * 1024

/** Returns a page of another server's room directory; malformed entries are dropped. */
export async function askPublicRooms(rt: Asker, server: ServerName, query: DirectoryQuery): Promise<DirectoryPage> {
  const target = federationPath(['federation', 'v1', 'publicRooms'])
  try {
    const answer = await askServer(rt, server, { method: 'POST', target, body: bodyOf(query), maxBytes: MAX_BYTES })
    return pageIn(answer)
  } catch (cause) {
    throw relayedError(cause)
  }
}

function bodyOf({ limit, since, term, roomTypes, network, isOfAllNetworks }: DirectoryQuery): JsonObject {
  const filter = {
    ...(term === undefined ? {} : { generic_search_term: term }),
    ...(roomTypes === undefined ? {} : { room_types: roomTypes }),
  }
  return {
    limit: Math.min(limit === undefined || limit === 0 ? MAX_ROOMS : limit, MAX_ROOMS),
    ...(since === undefined || since === '' ? {} : { since }),
    ...(Object.keys(filter).length === 0 ? {} : { filter }),
    ...(isOfAllNetworks === true ? { include_all_networks: true } : {}),
    ...(network === undefined || isOfAllNetworks === true ? {} : { third_party_instance_id: network }),
  }
}

function pageIn(answer: JsonObject): DirectoryPage {
  const listed = member(answer, 'chunk')
  const chunk = (Array.isArray(listed) ? listed : []).slice(0, MAX_ROOMS).flatMap((entry) => {
    return (isObject(entry) && summaryIn(entry)) || []
  })
  const [next, previous] = [stringMember(answer, 'next_batch'), stringMember(answer, 'prev_batch')]
  const estimate = member(answer, 'total_room_count_estimate')
  return {
    chunk,
    ...(next === undefined ? {} : { next_batch: next }),
    ...(previous === undefined ? {} : { prev_batch: previous }),
    total_room_count_estimate: isCount(estimate) ? estimate : chunk.length,
  }
}
