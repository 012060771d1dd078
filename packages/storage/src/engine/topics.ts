// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { Nid } from '../schema/schema.ts'

const READ_IN = 'read in '
const WAITING_FOR = 'waiting for '
const PRESENCE_OF = 'presence of '
const READ_BY = 'read by '

/** Returns the server of a topic of waiting EDUs. */
export function serverOfWaitingEdus(topic: string): ServerName | undefined {
  return topic.startsWith(WAITING_FOR) ? (topic.slice(WAITING_FOR.length) as ServerName) : undefined
}

/** Returns the user of a topic of presence. */
export function userOfPresenceTopic(topic: string): UserId | undefined {
  return topic.startsWith(PRESENCE_OF) ? (topic.slice(PRESENCE_OF.length) as UserId) : undefined
}

/** Returns the user of a topic of a user's receipts. */
export function userOfReceiptsTopic(topic: string): UserId | undefined {
  return topic.startsWith(READ_BY) ? (topic.slice(READ_BY.length) as UserId) : undefined
}

/** Returns the room of a topic of receipts. */
export function roomOfReceiptsTopic(topic: string): RoomId | undefined {
  return topic.startsWith(READ_IN) ? (topic.slice(READ_IN.length) as RoomId) : undefined
}

/**
 * The topics other than room and user IDs. Cached values expire when their topic is touched; `tableTopics` lists the
 * topics that writes to a table must touch.
 */
export const topics = {
  /** A user's account, device names, and tokens. */
  account: (user: UserId) => `account ${user}`,
  /** The set of this server's erased users. */
  erased: 'erased users',
  /** The one-time and fallback keys of a user's devices. */
  keys: (user: UserId) => `keys ${user}`,
  /** The published keys of a server. */
  keysOfServer: (server: ServerName) => `keys of ${server}`,
  /** A user's receipts, including private ones. */
  readBy: (user: UserId) => `${READ_BY}${user}`,
  /** The memberships of a room. */
  members: (room: Nid) => `members of ${room}`,
  /** Delayed events. */
  delayedEvents: 'delayed events',
  /** The set of sticky events of all rooms. */
  stickyEvents: 'sticky events',
  /** Work that a change owes and any node may finish. */
  owedWork: 'owed work',
  /** The visible sticky events of a room. */
  sticky: (room: RoomId) => `sticky ${room}`,
  /** Delayed events that are sent when a participant leaves a call. */
  delegatedLeaves: 'delegated leaves',
  /** The pushers of any user. */
  anyPusher: 'pushers',
  /** A user's pushers. */
  pushers: (user: UserId) => `pushers of ${user}`,
  /** EDUs that wait for a server. */
  waitingFor: (server: ServerName) => `${WAITING_FOR}${server}`,
  /** Receipts in a room, including private ones. */
  readIn: (room: RoomId) => `${READ_IN}${room}`,
  /** The presence of any user. */
  presence: 'presence',
  /** A user's presence. */
  presenceOf: (user: UserId) => `${PRESENCE_OF}${user}`,
  /** Events of a room that notify and are in a thread. */
  threads: (room: RoomId) => `threads ${room}`,
  /** Events of a room that highlight for all members (`@room`). */
  loud: (room: RoomId) => `loud ${room}`,
  /** Events that highlight for a user by name. */
  named: (user: UserId) => `named ${user}`,
  /** The states of a room's events, which were provisional until its members became known. */
  recast: (room: Nid) => `recast ${room}`,
  /** Leases that were released, or whose node died. */
  leases: 'leases',
  /** Rooms whose forward extremities are still to be resolved. */
  unsettled: 'unsettled rooms',
  /** Staged events that have been processed. */
  unstaged: 'unstaged pdus',
  /** Events of a room that were redacted. */
  redacted: (room: Nid) => `redacted ${room}`,
  /** The backfilled events of a room. */
  history: (room: Nid) => `history ${room}`,
  /** A user's sliding sync connections, without their states. */
  sliding: (user: UserId) => `sliding ${user}`,
  /** Events of a room that relate to another. */
  related: (room: Nid) => `related ${room}`,
} as const
