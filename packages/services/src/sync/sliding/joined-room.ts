// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { topics } from '@myelin/storage/engine/topics'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import type { CachedRoom } from '@myelin/storage/rooms/cached-room'
import { BUMPS } from '@myelin/storage/rooms/events/bump-types'
import { cachedEvents } from '@myelin/storage/rooms/events/cached-events'
import { stateEventNid } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { receiptsBetween } from '@myelin/storage/sync/receipts'
import { unreadOf } from '../room-sections/unread.ts'
import { rootAt } from '../room-state.ts'
import { heroesOf } from '../summary.ts'
import { timelineOfJoined } from '../timeline.ts'
import { recordSentMembers, unsentMembers } from '../sent-members.ts'
import { StateSelection } from './required-state.ts'
import type { Hero, RoomResult } from './room-result.ts'
import { memberEvents, namedChanges, selectedState } from './room-state-changes.ts'
import type { NamedChange } from './room-state-changes.ts'
import { membersInTimeline, renderState, resultTimeline, textOf, withTimelineLimit } from './slice-for-room.ts'
import type { RoomTask } from './room-task.ts'
import type { SlidingScope } from './sliding-scope.ts'

/** A joined room with what several members of its entry need. */
interface JoinedRoom {
  readonly scope: SlidingScope
  readonly task: RoomTask
  readonly room: CachedRoom
  readonly isInitial: boolean
  readonly root: number
  readonly changes: readonly NamedChange[]
  readonly timeline: { readonly events: readonly StoredEvent[]; readonly isLimited: boolean }
}

/**
 * Returns the entry of a joined room: whole, or what changed after `task.after`. Undefined while members are wanted that are
 * not known yet.
 */
export async function joinedRoom(scope: SlidingScope, task: RoomTask): Promise<RoomResult | undefined> {
  const { sync } = scope
  const { db, slice, upTo } = sync
  const { requested, sent, roomId } = task
  const room = await cachedRoom(db, roomId)
  if (!room) return undefined
  const isWaiting = room.isPartial || room.wholePosition > upTo
  if (isWaiting && (requested.selection.wantsAllMembers || requested.selection.namedMembers.size > 1)) return undefined
  const becameWhole = room.wholePosition > (task.after ?? 0) && room.wholePosition <= upTo
  const isInitial = task.after === undefined || becameWhole
  const after = isInitial ? 0 : (task.after ?? 0)
  const isExpanded = !isInitial && sent !== undefined && sent.timelineLimit < requested.timelineLimit
  const limited = withTimelineLimit(slice, requested.timelineLimit)
  const read = await timelineOfJoined(db, limited, room, {
    after: isExpanded ? 0 : after,
    checksVisibility: isInitial || isExpanded,
  })
  const place = { roomId, tail: read.tail, lastResolution: room.lastResolution }
  const root = await rootAt(db, place, upTo)
  const changes = isInitial ? [] : await namedChanges(db, await rootAt(db, place, after), root)
  const joined: JoinedRoom = { scope, task, room, isInitial, root, changes, timeline: read.timeline }
  return {
    membership: 'join',
    isInitial,
    isExpanded,
    isDm: task.isDm,
    ...(await namesOf(joined)),
    ...(await stateOf(joined)),
    timeline: requested.timelineLimit === 0 ? undefined : await resultTimeline(db, slice, read.timeline),
    bumpStamp: bumpStampOf(joined, after),
    // Only the older dialect has counts.
    ...(scope.request.dialect === 'msc3575' ? await countsOf(joined, read.tail, after) : {}),
  }
}

async function countsOf(
  joined: JoinedRoom,
  tail: readonly StoredEvent[] | undefined,
  after: number,
): Promise<Pick<RoomResult, 'unread' | 'hasReadOn'>> {
  const { scope, task, room, isInitial } = joined
  const { db, slice } = scope.sync
  const unread = await unreadOf({ scope: { db, slice }, membership: task.membership, room, tail })
  return { unread: unread.unread_notifications, hasReadOn: !isInitial && (await hasReadOn(joined, after)) }
}

async function namesOf(joined: JoinedRoom): Promise<Partial<RoomResult>> {
  const { isInitial, root, room, changes, scope } = joined
  const { db, slice } = scope.sync
  const isChanged = (type: string) => changes.some((change) => change.type === type && change.stateKey === '')
  const areMembersChanged = isInitial || changes.some(({ type }) => type === 'm.room.member')
  const name = await textOf(db, await stateEventNid(db, root, 'm.room.name', ''), 'name')
  const hasNameChanged = isInitial || isChanged('m.room.name')
  const avatar =
    isInitial || isChanged('m.room.avatar')
      ? ((await textOf(db, await stateEventNid(db, root, 'm.room.avatar', ''), 'url')) ?? null)
      : undefined
  return {
    ...(hasNameChanged && !(isInitial && !name) ? { name: name || null } : {}),
    ...(avatar !== undefined && !(isInitial && avatar === null) ? { avatar } : {}),
    ...(!name && (areMembersChanged || hasNameChanged) ? { heroes: await heroes(db, room, slice.user, root) } : {}),
    ...(areMembersChanged ? { joinedCount: room.joinedCount, invitedCount: room.invitedCount } : {}),
  }
}

async function heroes(db: Read, room: CachedRoom, me: UserId, root: number): Promise<Hero[]> {
  const users = await heroesOf(db, room, me)
  const events = await cachedEvents(db, await memberEvents(db, root, users))
  const contents = new Map([...events.values()].map(({ pdu }) => [pdu.stateKey, pdu.content]))
  return users.map((user) => {
    const content = contents.get(user) ?? {}
    // Members write what they like: only texts are passed on.
    const [displayname, avatarUrl] = [stringMember(content, 'displayname'), stringMember(content, 'avatar_url')]
    return {
      user_id: user,
      ...(displayname === undefined ? {} : { displayname }),
      ...(avatarUrl === undefined ? {} : { avatar_url: avatarUrl }),
    }
  })
}

/** Returns the state events that the client requested, and the deleted ones among them. */
async function stateOf(joined: JoinedRoom): Promise<Pick<RoomResult, 'requiredState' | 'deletedState'>> {
  const { scope, task, isInitial, root, changes, timeline } = joined
  const { db, slice } = scope.sync
  const { selection } = task.requested
  const before = isInitial ? undefined : selectionBefore(scope, task)
  const isSame = !isInitial && task.sent?.selection === task.requested.name
  const place = { roomId: task.roomId, root }
  const whole = isSame ? [] : await selectedState(db, place, selection, before)
  const selected = changes.filter(({ type, stateKey }) => selection.matches(type, stateKey))
  const changed = selected.flatMap(({ event }) => event ?? [])
  const lazy = selection.isLazy ? await lazyMembers(joined) : []
  if (lazy.length > 0) recordSentMembers(db, slice, lazy)
  const isGapless = !isInitial && !timeline.isLimited && selection.isLazy
  const moved = isGapless ? changes.flatMap(({ type, event }) => (type === 'm.room.member' ? (event ?? []) : [])) : []
  return {
    requiredState: await renderState(db, slice, [...whole, ...changed, ...lazy, ...moved]),
    deletedState: selected
      .filter(({ event }) => event === undefined)
      .map(({ type, stateKey }) => ({ type, state_key: stateKey })),
  }
}

function selectionBefore({ state }: SlidingScope, { sent }: RoomTask): StateSelection {
  return StateSelection.parse((sent && state.selections.get(sent.selection)) ?? '')
}

/** Returns the members that the timeline needs and that the connection does not have, but for those it has by name. */
async function lazyMembers({ scope, task, root, timeline }: JoinedRoom): Promise<readonly number[]> {
  const { db, slice } = scope.sync
  const members = [...membersInTimeline(timeline.events)]
  const unnamed = members.filter((member) => !task.requested.selection.matches('m.room.member', member))
  return unsentMembers(db, slice, await memberEvents(db, root, unnamed))
}

/** Returns the bump stamp if the client does not know it; a room without any bump counts from the join. */
function bumpStampOf({ room, scope, timeline, task }: JoinedRoom, after: number): number | undefined {
  const { bumpPosition } = room
  if (bumpPosition <= scope.sync.upTo) {
    if (bumpPosition > after) return bumpPosition
    return after === 0 ? task.membership.position : undefined
  }
  // The room has moved on meanwhile; what came later is for the next answer.
  const last = timeline.events.findLast(({ pdu }) => BUMPS.has(pdu.type))?.position ?? undefined
  return last ?? (after === 0 ? task.membership.position : undefined)
}

async function hasReadOn({ scope, task }: JoinedRoom, after: number): Promise<boolean> {
  const { db, slice, upTo } = scope.sync
  if (!db.topicPositions.changedSince(topics.readBy(slice.user), after)) return false
  return (await receiptsBetween(db, task.roomId, after, upTo)).some(({ userId }) => userId === slice.user)
}
