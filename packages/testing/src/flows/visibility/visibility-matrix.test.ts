// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { authorRoom } from '../../room-author.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'
import { maySee, mayEnter, PHASES, seenPhases, STANDINGS, statePhase, VISIBILITIES } from './visibility-rules.ts'
import type { Phase, Standing, Visibility } from './visibility-rules.ts'

const v3 = '/_matrix/client/v3'
const v1 = '/_matrix/client/v1'
type Person = { readonly userId: string; readonly token: string }
type Event = { readonly event_id: string; readonly content: Readonly<Record<string, unknown>> }

/** A room with one kind of history, and the events of its phases. */
interface Room {
  readonly roomId: string
  readonly roots: Readonly<Record<Phase, string>>
  readonly replies: Readonly<Record<Phase, string>>
}

interface Cast {
  readonly server: TestServer
  readonly users: Readonly<Record<Standing, Person>>
  readonly begin: string
  readonly rooms: Readonly<Record<Visibility, Room>>
}

async function cast(open: Parameters<typeof testServer>[0]): Promise<Cast> {
  const server = await testServer(open)
  const alice = await server.register('alice')
  const guest = async (): Promise<Person> => {
    const { body } = await server.call('POST', `${v3}/register?kind=guest`, { body: {} })
    return { userId: String(body['user_id']), token: String(body['access_token']) }
  }
  const users = Object.fromEntries(
    await Promise.all(
      STANDINGS.map(async (each) => [each, each.startsWith('guest') ? await guest() : await server.register(each)]),
    ),
  ) as Cast['users']
  const begin = String((await server.call('GET', `${v3}/sync?timeout=0`, { token: alice.token })).body['next_batch'])
  const rooms: Partial<Record<Visibility, Room>> = {}
  for (const visibility of VISIBILITIES) rooms[visibility] = await roomOf(server, { alice, users }, visibility)
  return { server, users, begin, rooms: rooms as Cast['rooms'] }
}

async function roomOf(
  server: TestServer,
  { alice, users }: { readonly alice: Person; readonly users: Cast['users'] },
  visibility: Visibility,
): Promise<Room> {
  const state = (type: string, content: Record<string, string>) => ({ type, stateKey: '', content })
  const room = await authorRoom(server.rt, alice.userId, {
    initialState: [
      state('m.room.join_rules', { join_rule: 'knock' }),
      state('m.room.history_visibility', { history_visibility: visibility }),
    ],
  })
  const [roots, replies]: [Partial<Record<Phase, string>>, Partial<Record<Phase, string>>] = [{}, {}]
  const speak = async (phase: Phase) => {
    await room.send(alice.userId, 'm.room.name', { name: phase }, '')
    const root = await room.say(alice.userId, phase)
    roots[phase] = root
    const relation = { rel_type: 'm.thread', event_id: root }
    replies[phase] = await room.send(alice.userId, 'm.room.message', {
      msgtype: 'm.text',
      body: `reply ${phase}`,
      'm.relates_to': relation,
    })
  }
  await speak('before')
  for (const name of ['joined', 'left', 'banned', 'guest in'] as const) {
    await room.member(alice.userId, users[name].userId, 'invite')
    await room.member(users[name].userId, users[name].userId, 'join')
  }
  await room.member(alice.userId, users.invited.userId, 'invite')
  await room.member(users.knocked.userId, users.knocked.userId, 'knock')
  await speak('at')
  await room.member(users.left.userId, users.left.userId, 'leave')
  await room.member(alice.userId, users.banned.userId, 'ban')
  await speak('after')
  return { roomId: room.roomId, roots, replies } as Room
}

/** The status of a list, and the phases whose events are in it. */
type Shown = { readonly status: number; readonly phases: readonly Phase[] }

const phasesIn = (events: unknown): Phase[] =>
  PHASES.filter((phase) => (events as readonly Event[] | undefined)?.some(({ content }) => content['body'] === phase))

/** The endpoints that return lists of events: the path below the server, and where the events stand in the answer. */
const LISTS: Readonly<
  Record<string, (at: string, cast: Cast, room: Room) => readonly [string, (body: Record<string, unknown>) => unknown]>
> = {
  'messages backward': (at) => [`${at}/messages?dir=b&limit=100`, (body) => body['chunk']],
  'messages forward': (at) => [`${at}/messages?dir=f&limit=100`, (body) => body['chunk']],
  'room initialSync': (at) => [
    `${at}/initialSync?limit=100`,
    (body) => (body['messages'] as Record<string, unknown> | undefined)?.['chunk'],
  ],
  events: (_, { begin }, { roomId }) => [
    `${v3}/events?timeout=0&from=${begin}&room_id=${encodeURIComponent(roomId)}`,
    (body) => body['chunk'],
  ],
  threads: (at) => [`${at.replace(v3, v1)}/threads`, (body) => body['chunk']],
}

onEveryDatabase('reading', (open) => {
  let scene: Cast
  before(async () => {
    scene = await cast(open)
  })
  after(() => scene.server.close())
  for (const visibility of VISIBILITIES) {
    for (const standing of STANDINGS) {
      test(`of a room with ${visibility} history by a user who is ${standing}`, async () => {
        const { server, users } = scene
        const room = scene.rooms[visibility]
        const at = `${v3}/rooms/${encodeURIComponent(room.roomId)}`
        const read = (path: string) => server.call('GET', path, { token: users[standing].token })
        const [isEntered, phases] = [mayEnter(visibility, standing), seenPhases(visibility, standing)]

        for (const [name, list] of Object.entries(LISTS)) {
          const [path, eventsIn] = list(at, scene, room)
          const { status, body } = await read(path)
          const shown: Shown = { status, phases: phasesIn(eventsIn(body)) }
          assert.deepEqual(shown, { status: isEntered ? 200 : 403, phases }, name)
        }

        for (const phase of PHASES) {
          const isSeen = phases.includes(phase)
          assert.equal(isSeen, isEntered && maySee(visibility, standing, phase))
          const id = encodeURIComponent(room.roots[phase])
          assert.equal((await read(`${at}/event/${id}`)).status, isSeen ? 200 : 404, `event ${phase}`)
          const isGuest = standing.startsWith('guest')
          const alone = isGuest ? 403 : isSeen ? 200 : 404
          assert.equal((await read(`${v3}/events/${id}`)).status, alone, `events/{eventId} ${phase}`)
          const context = await read(`${at}/context/${id}?limit=100`)
          assert.equal(context.status === 200, isSeen, `context ${phase}`)
          if (isSeen) {
            const around = [...(context.body['events_before'] as Event[]), ...(context.body['events_after'] as Event[])]
            assert.deepEqual(
              phasesIn(around),
              phases.filter((each) => each !== phase),
              `around ${phase}`,
            )
          }
          const related = await read(`${at.replace(v3, v1)}/relations/${id}`)
          assert.equal(related.status === 200, isSeen, `relations ${phase}`)
          if (isSeen) {
            const ids = (related.body['chunk'] as readonly Event[]).map(({ event_id: eventId }) => eventId)
            assert.deepEqual(ids, [room.replies[phase]], `related ${phase}`)
          }
        }

        const present = statePhase(visibility, standing)
        const name = await read(`${at}/state/m.room.name/`)
        const whole = await read(`${at}/state`)
        const members = await read(`${at}/members`)
        for (const { status } of [name, whole, members]) assert.equal(status, isEntered ? 200 : 403)
        assert.equal(name.body['name'], present)
      })
    }
  }
})
