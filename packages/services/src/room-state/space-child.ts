// SPDX-License-Identifier: Apache-2.0
import { isRoomId, isServerName } from '@myelin/matrix/ids'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { RoomSummary } from './room-summary.ts'

/** A child of a space, from the space's `m.space.child` event. */
export interface SpaceChild {
  readonly roomId: RoomId
  readonly via: readonly ServerName[]
  readonly isSuggested: boolean
  /** The stripped event, with its timestamp. */
  readonly shown: JsonObject
}

/** A room in a tree of spaces, with its children. */
export interface SpaceRoom {
  readonly summary: RoomSummary
  /** In display order; empty where the room is no space. */
  readonly children: readonly SpaceChild[]
}

const MAX_SERVERS = 10
const ORDER = /^[\x20-\x7e]{1,50}$/

/**
 * Returns the child in a stripped `m.space.child` event; undefined without a room ID or `via`, which removes a child.
 */
export function spaceChildOf(event: JsonObject): SpaceChild | undefined {
  const [roomId, content] = [member(event, 'state_key'), objectMember(event, 'content') ?? {}]
  const [via, ts] = [member(content, 'via'), member(event, 'origin_server_ts')]
  const sender = stringMember(event, 'sender')
  if (event['type'] !== 'm.space.child' || !isRoomId(roomId) || sender === undefined) return undefined
  const servers = (Array.isArray(via) ? via : []).filter(isServerName).slice(0, MAX_SERVERS)
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
 * Returns children in display order: by a valid `order`, the others after them by age.
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
