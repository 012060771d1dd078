// SPDX-License-Identifier: Apache-2.0
import type { Bus } from '@myelin/kit/bus'
import type { Clock, Timer } from '@myelin/kit/clock'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { noOtherNodes } from '@myelin/storage/engine/other-nodes'
import type { OtherNodes } from '@myelin/storage/engine/other-nodes'

const PREFIX = 'typing in '

/** The room a topic says somebody typed in, or went on typing, or no longer does. */
export function roomTypedIn(topic: string): RoomId | undefined {
  return topic.startsWith(PREFIX) ? (topic.slice(PREFIX.length) as RoomId) : undefined
}

type RoomTyping = { readonly users: Map<UserId, Timer>; serial: number }

/** What nodes tell each other begins so. */
const MESSAGE = 'typing '

/**
 * Who is typing in which room.
 *
 * It lives in memory, on every node, and may be lost. `serial` counts its changes and is never behind the clock, so that it
 * means about the same on all nodes; a sync token carries it, so that a client is told of a room's typing only when
 * that room's list has changed since.
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
    this.#stopListening = others.listen((message) => this.#hear(message))
    // Above whatever an earlier run of the server handed out.
    this.#serial = clock.now()
  }

  /** The count of changes so far. */
  get serial(): number {
    return this.#serial
  }

  /** A user types for at most this long, unless they say so again. */
  start(roomId: RoomId, userId: UserId, timeoutMs: number): void {
    this.#others.tell(MESSAGE + JSON.stringify([roomId, userId, timeoutMs]))
    this.#start(roomId, userId, timeoutMs)
  }

  /** A user no longer types. */
  stop(roomId: RoomId, userId: UserId): void {
    // Whoever knows nothing of it here may have been heard of elsewhere, by a message that was lost here.
    this.#others.tell(MESSAGE + JSON.stringify([roomId, userId, 0]))
    this.#stop(roomId, userId)
  }

  #hear(message: string): void {
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

  /** Who types in a room, if that changed after `serial`. */
  changedSince(roomId: RoomId, serial: number): UserId[] | undefined {
    const room = this.#rooms.get(roomId)
    return room && room.serial > serial ? [...room.users.keys()] : undefined
  }

  /** Who types in a room. */
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
