// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { JsonObject } from '@myelin/matrix/json'
import { parsePdu } from '@myelin/rules/events/parse-pdu'
import type { RemoteRoomResult } from './record/observation.ts'
import type { ForeignRoom } from '../foreign-room.ts'
import { registerUsers } from '../clients/matrix-client.ts'
import type { MatrixClient } from '../clients/matrix-client.ts'
import type { Chance } from '../chance.ts'
import { hostedRoom } from '../fake-servers/hosted-rooms.ts'
import type { TlsServers } from '../fake-servers/tls-servers.ts'
import { HttpConnection } from '../clients/http-connection.ts'
import { readUntilAnswered, sendUntilAnswered } from './retry-request.ts'

const THINK_MS = 60
const PATIENCE_MS = 60_000

/** A room of another server with a local member; both sides send messages while the server is killed. */
export class RemoteRoom {
  readonly #servers: TlsServers
  readonly #room: ForeignRoom
  readonly #resident: MatrixClient
  readonly #acknowledged: string[] = []
  readonly #sent: string[] = []
  readonly #heard = new Set<string>()
  /** The forward extremities at the other server. */
  readonly #named = new Set<string>()

  private constructor(servers: TlsServers, room: ForeignRoom, resident: MatrixClient) {
    this.#servers = servers
    this.#room = room
    this.#resident = resident
    servers.onRequest = ({ target, body }) => {
      if (!target.startsWith('/_matrix/federation/v1/send/')) return
      for (const pdu of (JSON.parse(body) as { pdus?: JsonObject[] }).pdus ?? []) this.#hear(pdu)
    }
  }

  /** Creates a room on another server, and lets a local user join it. */
  static async enter(
    servers: TlsServers,
    { url, secret }: { readonly url: string; readonly secret: string },
  ): Promise<RemoteRoom> {
    const [resident] = await registerUsers(url, secret, ['emigrant'])
    if (!resident) throw new Error('no user could be registered')
    const room = hostedRoom(servers, 1)
    const path = `/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?server_name=${servers.name(0)}`
    await resident.call('POST', path, {})
    return new RemoteRoom(servers, room, resident)
  }

  /** Both sides talk until `stop`; resolves when the last was answered. */
  async talk(tempo: EventEmitter<{ surge: []; stop: [] }>, chance: Chance): Promise<void> {
    let isOver = false
    tempo.once('stop', () => (isOver = true))
    const repeat = async (act: (serial: number) => Promise<void>) => {
      for (let serial = 0; !isOver; serial++) {
        await act(serial)
        await delay(chance.between(0, 2 * THINK_MS))
      }
    }
    await Promise.all([repeat((serial) => this.#push(serial)), repeat((serial) => this.#say(serial))])
  }

  /** Returns the observations after the other server has received everything. */
  async result(): Promise<RemoteRoomResult> {
    const isHeard = () => this.#sent.every((id) => this.#heard.has(id))
    for (const endMs = performance.now() + PATIENCE_MS; !isHeard() && performance.now() < endMs; ) {
      await this.#askForMissing()
      await delay(100)
    }
    const messages: string[] = []
    for (let from: string | undefined = ''; from !== undefined; ) {
      const at: string = from === '' ? '' : `&from=${from}`
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(this.#room.roomId)}/messages?dir=b&limit=500${at}`
      const page: { chunk: { event_id: string }[]; end?: string } = await readUntilAnswered(this.#resident, path)
      messages.push(...page.chunk.map((event) => event.event_id))
      from = page.end
    }
    this.#resident.close()
    return { acknowledged: this.#acknowledged, sent: this.#sent, heard: [...this.#heard], messages }
  }

  #hear(json: JsonObject): void {
    const pdu = parsePdu(json, this.#room.version)
    this.#heard.add(pdu.id)
    for (const id of pdu.prevEvents) if (!this.#room.events.has(id)) this.#named.add(id)
  }

  /** A server that is far behind receives the newest event and fetches its ancestors, as any server does. */
  async #askForMissing(): Promise<void> {
    const connection = new HttpConnection(this.#resident.base)
    const origin = this.#servers.name(0)
    for (const id of this.#named) {
      if (this.#heard.has(id)) continue
      const uri = `/_matrix/federation/v1/event/${encodeURIComponent(id)}`
      const authorization = this.#servers.authorization(origin, { destination: 'localhost', method: 'GET', uri })
      const { status, body } = await connection.request('GET', uri, authorization)
      if (status !== 200) continue
      // Ancestors of this event are fetched in the same walk.
      for (const pdu of (JSON.parse(body) as { pdus: JsonObject[] }).pdus) this.#hear(pdu)
    }
    connection.close()
  }

  /** Lets the other server send an event until it is acknowledged. */
  async #push(serial: number): Promise<void> {
    const content = { msgtype: 'm.text', body: `from the other server ${serial}` }
    const pdu = this.#room.append({ sender: this.#room.creator, type: 'm.room.message', content })
    const origin = this.#servers.name(0)
    const uri = `/_matrix/federation/v1/send/remote${serial}`
    const body: JsonObject = { origin, origin_server_ts: serial, pdus: [pdu.json], edus: [] }
    const authorization = this.#servers.authorization(origin, {
      destination: 'localhost',
      method: 'PUT',
      uri,
      content: body,
    })
    const connection = new HttpConnection(this.#resident.base)
    const client = { send: () => connection.request('PUT', uri, authorization, JSON.stringify(body)) }
    const answer = await sendUntilAnswered(client, ['PUT', uri])
    connection.close()
    const shown = answer && (JSON.parse(answer.body) as { pdus?: Record<string, { error?: string }> })
    if (answer?.status === 200 && shown?.pdus?.[pdu.id]?.error === undefined) this.#acknowledged.push(pdu.id)
    else throw new Error(`an event of the other server was refused: ${answer?.body}`)
  }

  async #say(serial: number): Promise<void> {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(this.#room.roomId)}/send/m.room.message/remote${serial}`
    const body = JSON.stringify({ msgtype: 'm.text', body: `to the other server ${serial}` })
    const answer = await sendUntilAnswered(this.#resident, ['PUT', path, body])
    if (answer?.status === 200) this.#sent.push((JSON.parse(answer.body) as { event_id: string }).event_id)
  }
}
