// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { EventId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { loadStateEvent } from '@myelin/services/room-state/load-auth-state'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import { EVENT_STATUS, eventById } from '@myelin/storage/rooms/events/events'
import { roomById } from '@myelin/storage/rooms/rooms'
import { roomsWithStagedPdus } from '@myelin/storage/federation/staged-pdus'
import type { OpenDatabase } from '../databases.ts'
import type { ForeignDraft } from '../foreign-author.ts'
import { authorRoom } from '../room-author.ts'
import type { RoomAuthor } from '../room-author.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'
import { InProcessServers } from '../fake-servers/in-process-servers.ts'
import { HostileServer } from './hostile-server.ts'

/** Bob may change state, mallory may talk; both are of the hostile server. */
export const [bob, mallory] = ['@bob:evil.test', '@mallory:evil.test'] as const
/** Of an honest server that watches. */
export const witness = '@witness:good.test'

/** The scene of attacks: a server with a room that a hostile and an honest server are in. */
export interface Stage {
  readonly home: TestServer
  readonly alice: { readonly userId: string; readonly token: string }
  readonly room: RoomAuthor
  readonly version: RoomVersion
  readonly peers: InProcessServers
  readonly evil: HostileServer
  readonly good: HostileServer
  /** Returns the status of an event; undefined if it was never accepted. */
  status(id: EventId): Promise<keyof typeof EVENT_STATUS | undefined>
  stateOf(type: string, key?: string): Promise<EventId | undefined>
  /** Builds events in the name of the hostile server's users. */
  build(draft: Partial<ForeignDraft> & { readonly body?: string }): Promise<Pdu>
  close(): Promise<void>
}

/** Opens the stage. */
async function openStage(options: { open?: OpenDatabase; roomVersion?: string } = {}): Promise<Stage> {
  const peers = new InProcessServers()
  const { roomVersion = '12' } = options
  const home = await testServer(options.open, {}, { transport: peers })
  const alice = await home.register('alice')
  const room = await authorRoom(home.rt, alice.userId, { roomVersion, preset: 'public_chat' })
  for (const user of [bob, mallory, witness]) await room.member(user, user, 'join')
  const version = roomVersionOf(roomVersion)
  const users = version.auth.creatorsOutrankEveryone ? { [bob]: 50 } : { [alice.userId]: 100, [bob]: 50 }
  await room.send(alice.userId, 'm.room.power_levels', { users }, '')
  const evil = new HostileServer('evil.test', home, peers)
  const db = home.rt.db.read
  const nameOf = new Map(Object.entries(EVENT_STATUS).map(([name, at]) => [at as number, name]))
  return {
    home,
    alice,
    room,
    version,
    peers,
    evil,
    good: new HostileServer('good.test', home, peers),
    status: async (id) => nameOf.get((await eventById(db, id))?.status ?? -1) as keyof typeof EVENT_STATUS | undefined,
    stateOf: async (type, key = '') => {
      const row = await roomById(db, room.roomId)
      return (await loadStateEvent(db, row?.stateRoot ?? 0, type, key))?.id
    },
    build: ({ body = 'hello', ...draft }) =>
      evil.author.build({
        roomId: room.roomId,
        sender: mallory,
        type: 'm.room.message',
        content: { msgtype: 'm.text', body },
        ...draft,
      }),
    close: () => home.close(),
  }
}

/** Runs an attack on a room and checks that the room still works. */
export async function onStage(
  open: OpenDatabase | undefined,
  roomVersion: string,
  attack: (stage: Stage) => Promise<void>,
): Promise<void> {
  const stage = await openStage({ ...(open ? { open } : {}), roomVersion })
  try {
    await attack(stage)
    await assertRoomLives(stage)
  } finally {
    await stage.close()
  }
}

/** Checks that the room works: nothing is staged, its users send and read, and other servers receive everything. */
async function assertRoomLives(stage: Stage): Promise<void> {
  assert.deepEqual(
    await roomsWithStagedPdus(stage.home.rt.db.read, stage.home.rt.clock.now(), Number.MAX_SAFE_INTEGER),
    [],
    'nothing is left to be judged',
  )
  const sent = await sendMessage(stage)
  await assertSyncShows(stage, sent)
  await assertPagesEnd(stage)
  await assertFederatesOut(stage, sent)
  const next = await stage.good.author.build({
    roomId: stage.room.roomId,
    sender: witness,
    type: 'm.room.message',
    content: { msgtype: 'm.text', body: 'still here' },
    prevEvents: (await stage.good.author.extremities(stage.room.roomId)).slice(0, 20),
  })
  await stage.good.send([next.json])
  assert.equal(await stage.status(next.id), 'accepted', 'what honest servers send is taken')
}

async function sendMessage({ home, alice, room }: Stage): Promise<EventId> {
  const txn = home.rt.random.token(8)
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/send/m.room.message/${txn}`
  const answer = await home.call('PUT', path, { token: alice.token, body: { msgtype: 'm.text', body: 'I am here' } })
  assert.equal(answer.status, 200, `we can speak: ${JSON.stringify(answer.body)}`)
  return answer.body['event_id'] as EventId
}

async function assertSyncShows({ home, alice, room }: Stage, sent: EventId): Promise<void> {
  const answer = await home.call('GET', '/_matrix/client/v3/sync?full_state=true', { token: alice.token })
  assert.equal(answer.status, 200, `sync: ${JSON.stringify(answer.body)}`)
  const { rooms } = answer.body as { rooms: { join: Record<string, { timeline: { events: { event_id: string }[] } }> } }
  assert.ok(rooms.join[room.roomId]?.timeline.events.some(({ event_id }) => event_id === sent))
  for (const what of ['members', 'state', 'joined_members']) {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/${what}`
    assert.equal((await home.call('GET', path, { token: alice.token })).status, 200, what)
  }
}

/** Asserts that paging from the end reaches the create event. */
async function assertPagesEnd({ home, alice, room }: Stage): Promise<void> {
  let [from, last] = ['', '']
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/messages?dir=b&limit=7`
  for (let page = 0; page < 300; page++) {
    const answer = await home.call('GET', `${path}${from}`, { token: alice.token })
    assert.equal(answer.status, 200, 'a page')
    const { chunk, end } = answer.body as { chunk: { type: string }[]; end?: string }
    last = chunk.at(-1)?.type ?? last
    if (end === undefined) {
      assert.equal(last, 'm.room.create', 'pages lead to the beginning')
      return
    }
    from = `&from=${encodeURIComponent(end)}`
  }
  assert.fail('pages do not end')
}

/** Checks that every federation request about the room is answered with valid JSON. */
async function assertFederatesOut({ home, good, room, version }: Stage, sent: EventId): Promise<void> {
  const path = (what: string, query: Record<string, string | number> = {}) =>
    federationPath(['federation', 'v1', what, room.roomId], query)
  const targets = [
    path('state', { event_id: sent }),
    path('state_ids', { event_id: sent }),
    path('backfill', { v: sent, limit: 100 }),
    federationPath(['federation', 'v1', 'event', sent]),
    federationPath(['federation', 'v1', 'event_auth', room.roomId, sent]),
  ]
  const limits = { strictNumbers: version.strictCanonicalJson }
  for (const target of targets) {
    const reply = await home.receive({ method: 'GET', target, headers: signedHeaders(good, 'GET', target) })
    const chunks: Uint8Array[] = []
    for await (const chunk of reply.body) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    assert.equal(reply.status, 200, `${target}: ${text.slice(0, 300)}`)
    parseJson(text, limits)
  }
  const body: JsonObject = { earliest_events: [], latest_events: [sent], limit: 20, min_depth: 0 }
  assert.equal((await good.request('POST', path('get_missing_events'), JSON.stringify(body))).status, 200)
}

function signedHeaders(server: HostileServer, method: 'GET', target: string): Record<string, string> {
  return { authorization: server.authorization(method, target, undefined) }
}
