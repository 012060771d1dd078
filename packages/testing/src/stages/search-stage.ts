// SPDX-License-Identifier: Apache-2.0
import type { ServiceConfig } from '@myelin/kit/settings'
import type { OpenDatabase } from '../databases.ts'
import { authorRoom } from '../room-author.ts'
import type { RoomAuthor } from '../room-author.ts'
import { testServer } from '../server.ts'
import type { Answer, TestServer } from '../server.ts'

/** A registered user. */
interface Searcher {
  readonly userId: string
  readonly token: string
}

/** A result of a search. */
interface SearchResult {
  readonly rank: number
  readonly result: {
    readonly event_id: string
    readonly room_id: string
    readonly sender: string
    readonly content: { readonly body?: string }
    readonly unsigned?: Readonly<Record<string, unknown>>
  }
  readonly context?: {
    readonly start: string
    readonly end: string
    readonly events_before: readonly { readonly event_id: string }[]
    readonly events_after: readonly { readonly event_id: string }[]
    readonly profile_info?: Readonly<Record<string, object>>
  }
}

/** The results of a search. */
export interface FoundEvents {
  readonly count: number
  readonly highlights: readonly string[]
  readonly results: readonly SearchResult[]
  readonly state?: Readonly<Record<string, readonly { readonly type: string; readonly state_key: string }[]>>
  readonly groups?: Readonly<Record<string, Readonly<Record<string, FoundGroup>>>>
  readonly next_batch?: string
}

/** A group of results. */
export interface FoundGroup {
  readonly results: readonly string[]
  readonly order: number
  readonly next_batch?: string
}

/** A server with two users and a room of the first. */
export interface SearchStage {
  readonly server: TestServer
  readonly alice: Searcher
  readonly bob: Searcher
  readonly room: RoomAuthor
  /** Sends a search as it is; everything sent before is indexed. */
  readonly post: (who: Searcher, criteria: object, nextBatch?: string) => Promise<Answer>
  /** Returns the results of a search for a term. */
  readonly search: (who: Searcher, term: string, criteria?: object, nextBatch?: string) => Promise<FoundEvents>
  /** Returns the bodies of the messages that a search finds, newest first. */
  readonly bodies: (who: Searcher, term: string, criteria?: object) => Promise<string[]>
}

/** Starts a server with two users, and a room that both are in. */
export async function searchStage(open?: OpenDatabase, config: Partial<ServiceConfig> = {}): Promise<SearchStage> {
  const server = await testServer(open, config)
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
  await room.member(bob.userId, bob.userId, 'join')
  const post: SearchStage['post'] = async (who, criteria, nextBatch) => {
    await server.workers.search?.settled()
    const query = nextBatch === undefined ? '' : `?next_batch=${encodeURIComponent(nextBatch)}`
    const body = { search_categories: { room_events: criteria } }
    return server.call('POST', `/_matrix/client/v3/search${query}`, { token: who.token, body })
  }
  const search: SearchStage['search'] = async (who, term, criteria = {}, nextBatch) => {
    const answer = await post(who, { search_term: term, ...criteria }, nextBatch)
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
    return (answer.body['search_categories'] as { room_events: FoundEvents }).room_events
  }
  const bodies: SearchStage['bodies'] = async (who, term, criteria = {}) =>
    (await search(who, term, { order_by: 'recent', filter: { limit: 100 }, ...criteria })).results.map(
      ({ result }) => result.content.body ?? '',
    )
  return { server, alice, bob, room, post, search, bodies }
}
