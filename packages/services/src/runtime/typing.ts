// SPDX-License-Identifier: Apache-2.0
import type { Bus } from '@myelin/kit/bus'
import type { Clock, Timer } from '@myelin/kit/clock'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { noOtherNodes } from '@myelin/storage/engine/other-nodes'
import type { OtherNodes } from '@myelin/storage/engine/other-nodes'

const PREFIX = 'typing in '

/** Returns the room of a typing topic; undefined for other topics. */
export function roomTypedIn(topic: string): RoomId | undefined {
  return topic.startsWith(PREFIX) ? (topic.slice(PREFIX.length) as RoomId) : undefined
}

type RoomTyping = { readonly users: Map<UserId, Timer>; serial: number }

/** The prefix of typing messages between nodes. */
const MESSAGE = 'typing '

/**
 * The typing users by room.
 *
 * It is kept in memory on every node and may be lost. `serial` counts the changes and is never behind the clock, so
 * that it is about the same on all nodes. A sync token contains it, so that a room's typing is sent only when its list
 * changed since.
 */
export class Typing {
  readonly #clock: Clock
  readonly #bus: Bus
  readonly #rooms = new Map<RoomId, RoomTyping>()
  #serial: number

  readonly #others: OtherNodes
  readonly #stopListening: () => void

  constructor(clock: Clock, bus: Bus, others: OtherNodes = noOtherNodes) {
    this.#clock = clock
    this.#bus = bus
    this.#others = others
    this.#stopListening = others.listen((message) => this.#onMessage(message))
    // Above all serials of an earlier run.
    this.#serial = clock.now()
  }

  /** Returns the number of changes so far. */
  get serial(): number {
    return this.#serial
  }

  /** Records that a user types, for at most this long unless repeated. */
  start(roomId: RoomId, userId: UserId, timeoutMs: number): void {
    this.#others.send(MESSAGE + JSON.stringify([roomId, userId, timeoutMs]))
    this.#start(roomId, userId, timeoutMs)
  }

  /** Records that a user stopped typing. */
  stop(roomId: RoomId, userId: UserId): void {
    // Another node may have received the start in a message that was lost here.
    this.#others.send(MESSAGE + JSON.stringify([roomId, userId, 0]))
    this.#stop(roomId, userId)
  }

  #onMessage(message: string): void {
    if (!message.startsWith(MESSAGE)) return
    const [roomId, userId, timeoutMs] = JSON.parse(message.slice(MESSAGE.length)) as [RoomId, UserId, number]
    if (timeoutMs > 0) this.#start(roomId, userId, timeoutMs)
    else this.#stop(roomId, userId)
  }

  #start(roomId: RoomId, userId: UserId, timeoutMs: number): void {
    const room = this.#rooms.get(roomId) ?? { users: new Map<UserId, Timer>(), serial: 0 }
    this.#rooms.set(roomId, room)
    const running = room.users.get(userId)
    running?.cancel()
    room.users.set(
      userId,
      this.#clock.later(timeoutMs, () => this.#stop(roomId, userId)),
    )
    if (!running) this.#changed(roomId, room)
    else this.#announce(`${PREFIX}${roomId}`)
  }

  #stop(roomId: RoomId, userId: UserId): void {
    const room = this.#rooms.get(roomId)
    const running = room?.users.get(userId)
    if (!room || !running) return
    running.cancel()
    room.users.delete(userId)
    this.#changed(roomId, room)
  }

  /** Returns the typing users of a room, if they changed after `serial`. */
  changedSince(roomId: RoomId, serial: number): UserId[] | undefined {
    const room = this.#rooms.get(roomId)
    return room && room.serial > serial ? [...room.users.keys()] : undefined
  }

  /** Returns the typing users of a room. */
  typersIn(roomId: RoomId): UserId[] {
    return [...(this.#rooms.get(roomId)?.users.keys() ?? [])]
  }

  /** Ends all timers. */
  close(): void {
    this.#stopListening()
    for (const room of this.#rooms.values()) for (const timer of room.users.values()) timer.cancel()
    this.#rooms.clear()
  }

  #changed(roomId: RoomId, room: RoomTyping): void {
    room.serial = this.#serial = Math.max(this.#serial + 1, this.#clock.now())
    this.#announce(roomId, `${PREFIX}${roomId}`)
  }

  #announce(...topics: string[]): void {
    this.#bus.announce({ position: 0, topics: new Set(topics) })
  }
}
