// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { referenceHashes } from '@myelin/services/rooms/append/extend-room'
import { loadAuthState } from '@myelin/services/room-state/load-auth-state'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import { federationPath } from '@myelin/remote/federation'
import { eventById } from '@myelin/storage/rooms/events/events'
import { openRoom, versionOfRoom } from '@myelin/storage/rooms/rooms'
import type { TestRuntime } from './runtime.ts'
import type { TestServer } from './server.ts'

/** An event as another server writes it: anywhere in the graph. */
export interface ForeignDraft {
  readonly roomId: RoomId
  readonly sender: string
  readonly type: string
  readonly content: JsonObject
  readonly stateKey?: string
  /** The time in ms for which the event is sticky. */
  readonly stickyMs?: number
  /** By default the room's forward extremities. */
  readonly prevEvents?: readonly EventId[]
  /** By default those that the state after the first of `prevEvents` gives. */
  readonly authEvents?: readonly EventId[]
}

/** In whose name events are written: a server of the test's network, or one that is made up. */
export interface Author {
  readonly rt: Pick<TestRuntime, 'serverName' | 'signingKey' | 'remote'>
}

/** Writes events in the name of one server into rooms that another one has. */
export class ForeignAuthor {
  readonly #home: TestServer
  readonly #author: Author
  #transactions = 0

  constructor(home: TestServer, author: Author) {
    this.#home = home
    this.#author = author
  }

  /** Builds and signs an event, without sending it. */
  async build(draft: ForeignDraft): Promise<Pdu> {
    const { rt } = this.#home
    const version = roomVersionOf(await versionOfRoom(rt.db.read, draft.roomId))
    const prevEvents = draft.prevEvents ?? (await this.extremities(draft.roomId))
    const previous = prevEvents[0] && (await eventById(rt.db.read, prevEvents[0]))
    const needs = { ...draft, sender: draft.sender as UserId }
    const root = previous ? previous.stateAfter : 0
    const authEvents = draft.authEvents ?? (await loadAuthState(rt.db.read, root, needs, version)).authEvents
    const hashes = await referenceHashes(rt.db.read, version, [...prevEvents, ...authEvents])
    return buildPdu(
      {
        ...needs,
        ...(hashes ? { hashes } : {}),
        prevEvents,
        authEvents,
        depth: Math.min((previous?.pdu.depth ?? 50) + 1, Number.MAX_SAFE_INTEGER),
        originServerTs: rt.clock.now(),
      },
      version,
      { serverName: this.#author.rt.serverName, key: this.#author.rt.signingKey },
      () => `$${rt.random.token(18)}:${this.#author.rt.serverName}`,
    )
  }

  /** The heads of a room's graph. */
  extremities(roomId: RoomId): Promise<readonly EventId[]> {
    return this.#home.rt.db.write(async (tx) => (await openRoom(tx, roomId))?.extremities ?? [])
  }

  /** Sends PDUs in one transaction, as JSON; returns the answer once all of them were processed. */
  async send(pdus: readonly JsonObject[]): Promise<JsonObject> {
    const answer = await this.#author.rt.remote.call(this.#home.rt.serverName, {
      method: 'PUT',
      target: federationPath(['federation', 'v1', 'send', `t${this.#transactions++}`]),
      body: { origin: this.#author.rt.serverName, origin_server_ts: this.#home.rt.clock.now(), pdus: [...pdus] },
    })
    await this.#home.workers.inbound.settled()
    return answer
  }

  /** Builds an event and sends it. */
  async sendEvent(draft: ForeignDraft): Promise<Pdu> {
    const pdu = await this.build(draft)
    await this.send([pdu.json])
    return pdu
  }
}
