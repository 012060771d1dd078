// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import type { LargestFixture } from './largest-fixture.ts'

/** A request that reads as much as it can. */
export interface LargestRead {
  readonly name: string
  readonly method?: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly body?: JsonObject
  /** Whether another server sends it. */
  readonly isFederated?: boolean
}

const v3 = '/_matrix/client/v3'

/** Returns the requests that read all there is in the fixture. */
export function largestReads(fixture: LargestFixture): readonly LargestRead[] {
  return [...ofClients(fixture), ...ofServers(fixture)]
}

function ofClients(fixture: LargestFixture): LargestRead[] {
  const { userId, roomId, spaceId, rootId, crowdId, filters, localUsers, firstToken } = fixture
  const rooms = `${v3}/rooms/${roomId}`
  const crowd = `${v3}/rooms/${crowdId}`
  const reads: Readonly<Record<string, string>> = {
    'first sync': `${v3}/sync`,
    'first sync, 1000 events a room': `${v3}/sync?filter=${filters.long}`,
    'first sync, lazy members': `${v3}/sync?filter=${filters.lazy}`,
    'first sync, many types': `${v3}/sync?filter=${filters.many}`,
    'full state': `${v3}/sync?full_state=true&filter=${filters.long}`,
    messages: `${rooms}/messages?dir=b&limit=1000`,
    'messages forwards': `${rooms}/messages?dir=f&limit=1000`,
    context: `${rooms}/context/${encodeURIComponent(rootId)}?limit=1000`,
    state: `${rooms}/state`,
    members: `${rooms}/members`,
    'joined members': `${rooms}/joined_members`,
    'messages of a large room': `${crowd}/messages?dir=b&limit=1000`,
    'state of a large room': `${crowd}/state`,
    'members of a large room': `${crowd}/members`,
    'joined members of a large room': `${crowd}/joined_members`,
    relations: `/_matrix/client/v1/rooms/${roomId}/relations/${encodeURIComponent(rootId)}?limit=1000`,
    threads: `/_matrix/client/v1/rooms/${roomId}/threads?limit=1000`,
    hierarchy: `/_matrix/client/v1/rooms/${spaceId}/hierarchy?limit=1000`,
    'public rooms': `${v3}/publicRooms?limit=1000`,
    notifications: `${v3}/notifications?limit=1000`,
    'joined rooms': `${v3}/joined_rooms`,
    'key changes': `${v3}/keys/changes?from=${firstToken}`,
    'push rules': `${v3}/pushrules/`,
    profile: `${v3}/profile/${userId}`,
  }
  const list = { lists: { a: { ranges: [[0, 99]], timeline_limit: 20, required_state: [['*', '*']] } } }
  const posts: Readonly<Record<string, readonly [string, JsonObject]>> = {
    'user search': [`${v3}/user_directory/search`, { search_term: 'u', limit: 1000 }],
    'keys of many users': [`${v3}/keys/query`, { device_keys: Object.fromEntries(localUsers.map((id) => [id, []])) }],
    'sliding sync': ['/_matrix/client/unstable/org.matrix.simplified_msc3575/sync', list],
    'public rooms by words': [`${v3}/publicRooms`, { limit: 1000, filter: { generic_search_term: 'room' } }],
  }
  return [
    ...Object.entries(reads).map(([name, url]) => ({ name, url })),
    ...Object.entries(posts).map(([name, [url, body]]) => ({ name, method: 'POST' as const, url, body })),
  ]
}

function ofServers({ roomId, spaceId, rootId, crowdId, lastJoinId, localUsers }: LargestFixture): LargestRead[] {
  const v1 = '/_matrix/federation/v1'
  const last = encodeURIComponent(lastJoinId)
  const event = `event_id=${last}`
  const root = encodeURIComponent(rootId)
  const reads: Readonly<Record<string, string>> = {
    'state for a server': `${v1}/state/${crowdId}?${event}`,
    'state IDs for a server': `${v1}/state_ids/${crowdId}?${event}`,
    'backfill of a large room': `${v1}/backfill/${crowdId}?v=${last}&limit=1000`,
    'auth events for a server': `${v1}/event_auth/${crowdId}/${last}`,
    'state for a server, 1000 other events': `${v1}/state/${roomId}?event_id=${root}`,
    'backfill of messages': `${v1}/backfill/${roomId}?v=${root}&limit=1000`,
    'make_join of a large room': `${v1}/make_join/${crowdId}/@newcomer:far.test?ver=12`,
    'hierarchy for a server': `${v1}/hierarchy/${spaceId}`,
    'public rooms for a server': `${v1}/publicRooms?limit=1000`,
  }
  const missing = { limit: 1000, min_depth: 0, earliest_events: [], latest_events: [lastJoinId] }
  const keys = { device_keys: Object.fromEntries(localUsers.map((id) => [id, []])) }
  return [
    ...Object.entries(reads).map(([name, url]) => ({ name, url, isFederated: true })),
    ...[
      { name: 'missing events of a large room', url: `${v1}/get_missing_events/${crowdId}`, body: missing },
      { name: 'keys of many users for a server', url: `${v1}/user/keys/query`, body: keys },
    ].map((post) => ({ ...post, method: 'POST' as const, isFederated: true })),
  ]
}
