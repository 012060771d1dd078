// SPDX-License-Identifier: Apache-2.0
import { markerOf, seenEvent } from './seen-event.ts'
import { isAcknowledged } from './record/ledger.ts'
import type { Deed } from './record/ledger.ts'
import type { Lookup, Observation, SeenRoom } from './record/observation.ts'
import type { JsonObject } from '@myelin/matrix/json'
import type { MatrixClient } from '../clients/matrix-client.ts'
import type { Chance } from '../chance.ts'
import type { SyncFollower } from './sync-follower.ts'
import { readUntilAnswered } from './retry-request.ts'
import type { PopulatedRoom, Population } from './population.ts'

const MAX_LOOKUPS = 400

/** Reads all rooms whole. */
export async function readRooms({ rooms, auditor }: Population, followed: SyncFollower): Promise<SeenRoom[]> {
  const seen: SeenRoom[] = []
  for (const { roomId, version, members, silent } of rooms) {
    seen.push({
      roomId,
      version,
      members: [...members, ...silent].map(({ userId }) => userId),
      messages: (await history(auditor, roomId)).map(seenEvent),
      state: (await readUntilAnswered<JsonObject[]>(auditor, `${pathOf(roomId)}/state`)).map(seenEvent),
      pdus: followed.pdus.get(roomId) ?? [],
    })
  }
  return seen
}

async function history(reader: MatrixClient, roomId: string): Promise<JsonObject[]> {
  const events: JsonObject[] = []
  for (let from: string | undefined = ''; from !== undefined; ) {
    const path: string = `${pathOf(roomId)}/messages?dir=b&limit=500${from === '' ? '' : `&from=${from}`}`
    const page: { chunk: JsonObject[]; end?: string } = await readUntilAnswered(reader, path)
    events.push(...page.chunk)
    from = page.end
  }
  return events.reverse()
}

/** Downloads all acknowledged uploads. */
export async function readMedia(reader: MatrixClient, deeds: readonly Deed[]): Promise<Observation['media']> {
  const uris = deeds.flatMap(({ answers }) => answers.flatMap(({ uri }) => uri ?? []))
  const found: { uri: string; text: string | undefined }[] = []
  for (const uri of uris) {
    const path = `/_matrix/client/v1/media/download/${uri.slice('mxc://'.length)}`
    const { status, body } = await reader.send('GET', path)
    found.push({ uri, text: status === 200 ? body : undefined })
  }
  return found
}

/** Looks single events up through some member: first those that met a crash, then others by chance. */
export async function lookUp(
  places: readonly PopulatedRoom[],
  rooms: readonly SeenRoom[],
  deeds: readonly Deed[],
  chance: Chance,
): Promise<Lookup[]> {
  const troubled = new Set(
    deeds.flatMap(({ act, ...deed }) =>
      'room' in act && (deed.attempts > 1 || !isAcknowledged({ act, ...deed })) ? [act.marker] : [],
    ),
  )
  const all = rooms.flatMap(({ roomId, messages }) =>
    messages.flatMap(({ id, marker }) => (marker === undefined ? [] : [{ roomId, eventId: id, marker }])),
  )
  const calm = all.filter(({ marker }) => !troubled.has(marker))
  const chosen = all.filter(({ marker }) => troubled.has(marker)).slice(0, MAX_LOOKUPS)
  for (let extra = 0; extra < MAX_LOOKUPS / 4 && calm.length > 0; extra++) chosen.push(chance.pick(calm))
  const found: Lookup[] = []
  for (const { roomId, eventId } of chosen) {
    const reader = chance.pick(places.find((place) => place.roomId === roomId)?.members ?? [])
    found.push({ roomId, eventId, ...(await bothWays(reader, roomId, eventId)) })
  }
  return found
}

async function bothWays(reader: MatrixClient, roomId: string, eventId: string) {
  const id = encodeURIComponent(eventId)
  const one = await reader.send('GET', `${pathOf(roomId)}/event/${id}`)
  const around = await reader.send('GET', `${pathOf(roomId)}/context/${id}?limit=0`)
  return {
    event: one.status === 200 ? markerOf(JSON.parse(one.body) as JsonObject) : undefined,
    context: around.status === 200 ? markerOf((JSON.parse(around.body) as { event: JsonObject }).event) : undefined,
  }
}

function pathOf(roomId: string): string {
  return `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}`
}
