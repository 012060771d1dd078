// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import { checkDatabase } from '@myelin/services/check-database'
import { eventById } from '@myelin/storage/rooms/events/events'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { OpenDatabase } from '../databases.ts'
import { join, path, stage, standing, user } from './federated-stage.ts'
import type { Stage, User } from './federated-stage.ts'
import type { TestServer } from '../server.ts'
import { tamperAnswers } from '../tampered-answers.ts'

/** A room of three servers, which bob of two.test has joined with partial state. */
export type PartialStage = Stage & {
  readonly carol: User
  readonly mallory: User
  readonly held: HeldStates
}

/** The answers to a server's requests for the state of rooms. */
export interface HeldStates {
  /** The number of its requests, by destination. */
  readonly asked: string[]
  /** From here on the answers are such; undefined for the honest ones. */
  answer(answering: Answering | undefined): void
}

/** Returns the answer to a request for the state; `honest` is the correct one. */
export type Answering = (server: string, target: string, honest: () => Promise<JsonObject>) => Promise<JsonObject>

/** An answer that fails. */
export const SILENCE: Answering = async (server) => {
  throw new RemoteError('unreachable', `${server} does not answer`)
}

/** Stands between a server and those it asks for the state of rooms. */
export function holdStates({ rt: { remote } }: TestServer, first: Answering): HeldStates {
  const asked: string[] = []
  let answering: Answering | undefined = first
  tamperAnswers(remote, async (server, request, honest) => {
    if (!/\/state(_ids)?\//.test(request.target)) return honest()
    asked.push(server)
    return answering ? answering(server, request.target, honest) : honest()
  })
  return {
    asked,
    answer: (now) => {
      answering = now
    },
  }
}

/**
 * Creates alice's room on one.test, with carol and mallory of three.test. Joins bob of two.test, who gets no answer about
 * its members.
 */
export async function partialStage(
  open: OpenDatabase,
  roomOptions: JsonObject = {},
  before: (stage: Stage & { carol: User; mallory: User }) => Promise<void> = async () => {},
): Promise<PartialStage> {
  const set = await stage(open, { servers: 3, roomOptions })
  const [carol, mallory] = [
    await user(set.network, 'carol', 'three.test'),
    await user(set.network, 'mallory', 'three.test'),
  ]
  for (const each of [carol, mallory]) assert.equal((await join(each, set.roomId)).status, 200)
  await set.network.settle(async () => (await standing(set.alice, set.roomId, mallory.userId)) === 'join')
  await before({ ...set, carol, mallory })
  const held = holdStates(set.bob.server, SILENCE)
  const { status, body } = await join(set.bob, set.roomId)
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(await isPartial(set.bob, set.roomId), true)
  return { ...set, carol, mallory, held }
}

/** Returns whether a room has partial state on a user's server. */
export const isPartial = async ({ server }: User, roomId: RoomId): Promise<boolean> =>
  (await roomById(server.rt.db.read, roomId))?.isPartial === true

/** Moves the clock until the partial state of a room on a user's server ends. */
export async function becomesWhole({ network, bob, roomId }: Stage): Promise<void> {
  await network.settle(async () => !(await isPartial(bob, roomId)))
  await network.settle()
}

/** Moves the clock to the next attempt to fetch the members, and waits for its end. */
export async function isAskedAgain({ network, bob, roomId }: Stage): Promise<void> {
  network.clock.advance(31_000)
  await bob.server.workers.completions.settled()
  assert.equal(await isPartial(bob, roomId), false)
}

const LAZY = encodeURIComponent(JSON.stringify({ room: { state: { lazy_load_members: true } } }))

/** The entry of a joined room in a sync. */
export interface SyncedRoom {
  readonly state: { readonly events: readonly JsonObject[] }
  readonly timeline: { readonly events: readonly JsonObject[]; readonly limited: boolean }
  readonly summary: JsonObject
}

/** Syncs at once, with or without lazy-loaded members; returns the room's entry, device lists, and the next token. */
export async function syncRoom(
  who: User,
  roomId: RoomId,
  { since, isLazy }: { readonly since?: string; readonly isLazy: boolean },
): Promise<{ room: SyncedRoom | undefined; next: string; devices: readonly string[] }> {
  const query = [...(since === undefined ? [] : [`since=${since}`]), ...(isLazy ? [`filter=${LAZY}`] : [])].join('&')
  const { body } = await who.server.call('GET', `/_matrix/client/v3/sync?${query}`, { token: who.token })
  const { join: joined } = body['rooms'] as { join: Record<string, SyncedRoom> }
  const { changed } = body['device_lists'] as { changed: string[] }
  return { room: joined[roomId], next: String(body['next_batch']), devices: changed }
}

/** Returns the joined users by some member events. */
export const joinedIn = (events: readonly JsonObject[] = []): string[] =>
  events
    .filter(({ type, content }) => type === 'm.room.member' && (content as JsonObject)['membership'] === 'join')
    .map((event) => stringMember(event, 'state_key') ?? '')
    .toSorted()

/** Sends a message to a room; returns its event ID. */
export async function say(who: User, roomId: RoomId, body: string): Promise<string> {
  const target = `/_matrix/client/v3/${path(roomId, `send/m.room.message/${encodeURIComponent(body)}`)}`
  const answer = await who.server.call('PUT', target, { token: who.token, body: { msgtype: 'm.text', body } })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return String(answer.body['event_id'])
}

/** Moves the clock until a promise settles; returns its value. */
export async function passing<T>({ network }: Pick<Stage, 'network'>, ending: Promise<T>): Promise<T> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  ending.then(over, over)
  await network.settle(() => isOver)
  return ending
}

/** Moves the clock until an event is in the timeline of these users' servers. */
export async function arrives({ network }: Pick<Stage, 'network'>, id: string, ...at: readonly User[]): Promise<void> {
  await network.settle(async () => {
    const there = await Promise.all(at.map(({ server }) => eventById(server.rt.db.read, id as EventId)))
    return there.every((event) => typeof event?.position === 'number')
  })
}

/** Throws where a server's database contradicts itself. */
export async function checkConsistency({ server }: User): Promise<void> {
  const faults = []
  for await (const fault of checkDatabase(server.rt.db.read)) faults.push(fault)
  assert.deepEqual(faults, [])
}
