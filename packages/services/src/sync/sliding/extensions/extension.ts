// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { StreamToken } from '../../../room-state/page-token.ts'
import type { Requester, Runtime } from '../../../runtime/runtime.ts'
import { sentUpTo } from '../sliding-scope.ts'
import type { AnsweredScope, SlidingScope } from '../sliding-scope.ts'

/** The value of an extension in an answer, and whether it ends the wait of a client. */
interface ExtensionAnswer {
  readonly value: object
  readonly hasNews: boolean
  /** What the `pos` of the answer remembers for the extension. */
  readonly token?: Pick<StreamToken, 'profiles'>
}

/** The stored state of each room for an extension of a connection. */
export type RoomMemory = 'receipts' | 'accountData'

/** One member of `extensions`. The list of them is in `extensions.ts`. */
export interface SlidingExtension {
  /** Its name in requests and answers. */
  readonly name: string
  /** Set where rooms are sent to the client at different times: see `roomsFor`. */
  readonly memory?: RoomMemory
  /**
   * Checks the configuration, and does what the client acknowledges with it; once for each request.
   *
   * @throws MatrixError `M_INVALID_PARAM`
   */
  begin?(rt: Pick<Runtime, 'db'>, requester: Requester, config: JsonObject): Promise<void>
  /** Returns what is new, and is to be shown as `config` says; undefined where the member is left out. */
  read(scope: AnsweredScope, config: JsonObject): Promise<ExtensionAnswer | undefined>
}

/** A room that an extension is to show, and the position after which: 0 for all of it. */
export interface ExtensionRoom {
  readonly roomId: RoomId
  readonly after: number
  /** The client gets the room anew, or more of its timeline. */
  readonly isInitial: boolean
}

/** Returns the rooms that an extension is to show, by the members `lists` and `rooms` of its configuration. */
export function roomsFor(scope: AnsweredScope, config: JsonObject, memory?: RoomMemory): ExtensionRoom[] {
  const wanted = wantedBy(scope, config)
  return [...wanted].map((roomId) => {
    const result = scope.results.get(roomId)
    const isInitial = result?.isInitial === true || result?.isExpanded === true
    return { roomId, after: isInitial ? 0 : (shownUpTo(scope, roomId, memory) ?? 0), isInitial }
  })
}

/** Returns the position up to which an extension has shown a room; undefined where it has not. */
export function shownUpTo(scope: SlidingScope, roomId: RoomId, memory?: RoomMemory): number | undefined {
  const sent = scope.state.rooms.get(roomId)
  return (memory && sent?.[memory]) ?? sentUpTo(scope, sent)
}

/** Returns the rooms in the windows of the lists, and the subscribed ones, that a configuration names. */
export function wantedBy({ windows }: SlidingScope, config: JsonObject): Set<RoomId> {
  const [lists, rooms] = [namesIn(config, 'lists'), namesIn(config, 'rooms')]
  const wanted = new Set<RoomId>()
  for (const [roomId, { requested }] of windows.rooms) {
    const isInList = lists.includes('*')
      ? requested.lists.length > 0
      : requested.lists.some((list) => lists.includes(list))
    const isNamed = rooms.includes(roomId) || (rooms.includes('*') && requested.isSubscribed)
    if (isInList || isNamed) wanted.add(roomId)
  }
  return wanted
}

function namesIn(config: JsonObject, name: 'lists' | 'rooms'): readonly string[] {
  const names = member(config, name)
  if (names === undefined) return ['*']
  // Synapse takes null for no names, not for all.
  if (names === null) return []
  if (!Array.isArray(names) || !names.every((each) => typeof each === 'string'))
    throw new MatrixError('M_INVALID_PARAM', `\`${name}\` of an extension must be a list of strings`)
  return names
}

/** Checks the members `lists` and `rooms` of a configuration. */
export function checkRooms(config: JsonObject): void {
  namesIn(config, 'lists')
  namesIn(config, 'rooms')
}
