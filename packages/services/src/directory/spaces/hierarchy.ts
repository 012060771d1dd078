// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { RoomSummary } from '../../room-state/room-summary.ts'
import type { Asker } from '../../peers/ask-server.ts'
import { askHierarchy } from '../../peers/hierarchy.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { parseShown, printShown } from './hierarchy-token.ts'
import type { Walk } from './hierarchy-token.ts'
import { mayUserEnter } from './may-enter.ts'
import { ownRoom } from './own-room.ts'
import type { SpaceRoom } from '../../room-state/space-child.ts'

type Needs = Pick<Runtime, 'db' | 'limits'> & Asker

/** A request for a tree of spaces. */
export interface TreeQuery {
  readonly roomId: RoomId
  readonly suggestedOnly: boolean
  readonly limit?: number | undefined
  readonly maxDepth?: number | undefined
  readonly from?: string | undefined
}

/** A room of the tree, in the wire format. */
export type TreeRoom = RoomSummary & { readonly children_state: readonly JsonObject[] }

const PAGE = 50
const MAX_DEPTH = 20
// Bounds endless trees, such as those that another server makes up.
const MAX_ROOMS = 1000
const MAX_ASKED = 100

/**
 * Returns a page of the rooms in a tree of spaces that the user may enter, parents before children. Rooms unknown here
 * are requested from the servers that their parent names.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy
 */
export async function readHierarchy(
  rt: Needs,
  user: UserId,
  query: TreeQuery,
): Promise<{ readonly rooms: readonly TreeRoom[]; readonly nextBatch: string | undefined }> {
  const maxDepth = Math.min(query.maxDepth ?? MAX_DEPTH, MAX_DEPTH)
  const walk = { roomId: query.roomId, suggestedOnly: query.suggestedOnly, maxDepth }
  const shown = query.from === undefined ? 0 : parseShown(query.from, walk)
  const limit = Math.min(query.limit ?? PAGE, PAGE)
  const tree = new Tree(rt, user, walk)
  const rooms: TreeRoom[] = []
  for (let count = 0; ; count++) {
    const room = await tree.next()
    if (!room) return { rooms, nextBatch: undefined }
    if (rooms.length === limit) return { rooms, nextBatch: printShown(shown + limit, walk) }
    if (count >= shown) rooms.push(room)
  }
}

type Place = { readonly roomId: RoomId; readonly via: readonly ServerName[]; readonly depth: number }

/** Walks a tree depth first. Each page repeats the walk up to its start; remote answers are cached. */
class Tree {
  readonly #rt: Needs
  readonly #user: UserId
  readonly #walk: Walk
  readonly #stack: Place[]
  readonly #seen = new Set<RoomId>()
  /** Summaries from other servers. */
  readonly #known = new Map<RoomId, RoomSummary>()
  #asked = 0

  constructor(rt: Needs, user: UserId, walk: Walk) {
    this.#rt = rt
    this.#user = user
    this.#walk = walk
    this.#stack = [{ roomId: walk.roomId as RoomId, via: [], depth: 0 }]
  }

  /** Returns the next room; throws `M_FORBIDDEN` where the user may not see the first. */
  async next(): Promise<TreeRoom | undefined> {
    for (let place = this.#stack.pop(); place && this.#seen.size < MAX_ROOMS; place = this.#stack.pop()) {
      if (this.#seen.has(place.roomId)) continue
      this.#seen.add(place.roomId)
      const room = await this.#load(place)
      if (room && (await mayUserEnter(this.#rt.db.read, this.#user, room.summary))) return this.#enter(room, place)
      if (place.depth === 0) throw new MatrixError('M_FORBIDDEN', 'you do not have permission to view this room')
    }
    return undefined
  }

  #enter({ summary, children }: SpaceRoom, { depth }: Place): TreeRoom {
    const shown = children.filter(({ isSuggested }) => isSuggested || !this.#walk.suggestedOnly)
    if (depth < this.#walk.maxDepth) {
      for (const { roomId, via } of shown.toReversed()) this.#stack.push({ roomId, via, depth: depth + 1 })
    }
    return { ...summary, children_state: shown.map((child) => child.shown) }
  }

  async #load({ roomId, via }: Place): Promise<SpaceRoom | undefined> {
    const own = await ownRoom(this.#rt.db.read, roomId)
    if (own) return own
    const known = this.#known.get(roomId)
    if (known && known.room_type !== 'm.space') return { summary: known, children: [] }
    if (via.length === 0 || ++this.#asked > MAX_ASKED) return undefined
    try {
      const remote = await askHierarchy(this.#rt, this.#user, via, { roomId, suggestedOnly: this.#walk.suggestedOnly })
      for (const child of remote.known) if (!this.#known.has(child.room_id)) this.#known.set(child.room_id, child)
      return remote
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
      return undefined
    }
  }
}
