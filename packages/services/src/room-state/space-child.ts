// SPDX-License-Identifier: Apache-2.0
import { isRoomId, isServerName } from '@myelin/matrix/ids'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { RoomSummary } from './room-summary.ts'

/** A room that a space holds, as the space's `m.space.child` event says. */
export interface SpaceChild {
  readonly roomId: RoomId
  readonly via: readonly ServerName[]
  readonly isSuggested: boolean
  /** The event as it is shown: stripped, with its time. */
  readonly shown: JsonObject
}

/** A room in a tree of spaces, and what it holds. */
export interface SpaceRoom {
  readonly summary: RoomSummary
  /** In the order in which they are shown; none where the room is no space. */
  readonly children: readonly SpaceChild[]
}

const MOST_SERVERS = 10
const ORDER = /^[\x20-\x7e]{1,50}$/

/** What a stripped `m.space.child` event says; undefined where it names no room, or no servers, which takes a child away. */
export function spaceChildOf(event: JsonObject): SpaceChild | undefined {
  const [roomId, content] = [member(event, 'state_key'), objectMember(event, 'content') ?? {}]
  const [via, ts] = [member(content, 'via'), member(event, 'origin_server_ts')]
  const sender = stringMember(event, 'sender')
  if (event['type'] !== 'm.space.child' || !isRoomId(roomId) || sender === undefined) return undefined
  const servers = (Array.isArray(via) ? via : []).filter(isServerName).slice(0, MOST_SERVERS)
  if (servers.length === 0) return undefined
  const originServerTs = typeof ts === 'number' ? ts : 0
  return {
    roomId,
    via: servers,
    isSuggested: member(content, 'suggested') === true,
    shown: { type: 'm.space.child', state_key: roomId, content, sender, origin_server_ts: originServerTs },
  }
}

/**
 * Children in the order in which a space shows them: by `order` where it is good, the others after them by age.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#ordering-of-children-within-a-space
 */
export function inOrder(children: readonly SpaceChild[]): SpaceChild[] {
  return children.toSorted((a, b) => {
    const [orderOfA, orderOfB] = [orderOf(a), orderOf(b)]
    if (orderOfA !== orderOfB) {
      if (orderOfA === undefined) return 1
      if (orderOfB === undefined) return -1
      return orderOfA < orderOfB ? -1 : 1
    }
    const difference = Number(a.shown['origin_server_ts']) - Number(b.shown['origin_server_ts'])
    return difference || (a.roomId < b.roomId ? -1 : 1)
  })
}

function orderOf({ shown }: SpaceChild): string | undefined {
  const order = stringMember(objectMember(shown, 'content') ?? {}, 'order')
  return order !== undefined && ORDER.test(order) ? order : undefined
}
