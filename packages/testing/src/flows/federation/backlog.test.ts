// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Bus } from '@myelin/kit/bus'
import type { JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { Inbound } from '@myelin/services/rooms/intake/inbound'
import { EVENT_STATUS, eventsById } from '@myelin/storage/rooms/events/events'
import { stagedOf } from '@myelin/storage/federation/staged-pdus'
import { topics } from '@myelin/storage/engine/topics'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { ForeignAuthor } from '../../foreign-author.ts'
import { testNetwork } from '../../network.ts'
import { authorRoom } from '../../room-author.ts'
import { testConfig } from '../../runtime.ts'
import type { TestServer } from '../../server.ts'

const [alice, bob, carol] = ['@alice:one.test', '@bob:two.test', '@carol:three.test'] as const
const MAX_STAGED_PER_SERVER = 1_500
const EACH = 50

/** A room of three servers, on the first of which nothing is judged for now. */
async function stage(open: OpenDatabase) {
  const network = await testNetwork({ servers: 3, open })
  const home = network.server('one.test')
  const room = await authorRoom(home.rt, alice, { preset: 'public_chat' })
  for (const user of [bob, carol]) await room.member(user, user, 'join')
  await home.workers.inbound.close()
  let serial = 0
  const transaction = (from: TestServer, pdus: readonly JsonObject[]) =>
    from.rt.remote.call('one.test' as never, {
      method: 'PUT',
      target: federationPath(['federation', 'v1', 'send', `b${serial++}`]),
      body: { origin: from.name, origin_server_ts: 0, pdus: [...pdus] },
      timeoutMs: 60_000,
    })
  const eventsOf = async (from: TestServer, sender: string, count: number) => {
    const author = new ForeignAuthor(home, from)
    const prevEvents = await author.extremities(room.roomId)
    const draft = { roomId: room.roomId, sender, type: 'm.room.message', prevEvents }
    return Promise.all(
      Array.from({ length: count }, (_, at) =>
        author.build({ ...draft, content: { msgtype: 'm.text', body: `${at}` } }),
      ),
    )
  }
  return { network, home, transaction, eventsOf, two: network.server('two.test'), three: network.server('three.test') }
}

/** Resolves when somebody waits for staged events to go. */
function firstWait(bus: Bus): Promise<void> {
  const wait = bus.wait.bind(bus)
  return new Promise((resolve) => {
    bus.wait = (names, wake) => {
      const all = [...names]
      const stop = wait(all, wake)
      if (all.includes(topics.unstaged)) resolve()
      return stop
    }
  })
}

onEveryDatabase('a server that sends faster than we judge', (open) => {
  test('is delayed, then answered with 429; nothing of that is stored, no other server is delayed, nothing is lost', async () => {
    const { network, home, transaction, eventsOf, two, three } = await stage(open)
    const { read } = home.rt.db
    const flood = await eventsOf(two, bob, MAX_STAGED_PER_SERVER + EACH)
    for (let at = 0; at < MAX_STAGED_PER_SERVER; at += EACH) {
      await transaction(
        two,
        flood.slice(at, at + EACH).map(({ json }) => json),
      )
    }
    const last = flood.slice(MAX_STAGED_PER_SERVER).map(({ json }) => json)
    const isHeldUp = firstWait(home.rt.bus)
    const refused = assert.rejects(transaction(two, last), (cause: unknown) => {
      assert.ok(cause instanceof RemoteError)
      const waitMs = Number(cause.body['retry_after_ms'])
      assert.deepEqual([cause.status, cause.errcode, waitMs >= 5000], [429, 'M_LIMIT_EXCEEDED', true])
      return true
    })
    const [other] = await eventsOf(three, carol, 1)
    assert.ok(other)
    await transaction(three, [other.json])
    await isHeldUp
    home.rt.clock.advance(10_000)
    await refused
    assert.deepEqual(await stagedOf(read, two.name), { own: MAX_STAGED_PER_SERVER, all: MAX_STAGED_PER_SERVER + 1 })

    const inbound = new Inbound(home.rt)
    // It comes again while the others are judged, and waits until there is room.
    await transaction(two, last)
    await inbound.settled()
    assert.deepEqual(await stagedOf(read, two.name), { own: 0, all: 0 })
    const events = await eventsById(
      read,
      [...flood, other].map(({ id }) => id),
    )
    assert.equal(events.length, flood.length + 1)
    assert.ok(events.every(({ status, position }) => status === EVENT_STATUS.accepted && position !== null))
    await inbound.close()
    await network.close()
  })
})

test('requests of a busy server wait, and are answered with 429 where too many wait', async () => {
  const federation = { windowMs: 1000, sleepLimit: 1, sleepDelayMs: 500, rejectLimit: 2, concurrent: 3 }
  const config = () => ({ rateLimits: { ...testConfig.rateLimits, federation } })
  const network = await testNetwork({ servers: 3, config })
  const home = network.server('one.test')
  await home.register('alice')
  const target = federationPath(['federation', 'v1', 'query', 'profile'], { user_id: alice })
  const answered: string[] = []
  const ask = async (from: string) => {
    try {
      await network.server(from).rt.remote.call('one.test' as never, { method: 'GET', target })
      answered.push(from)
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
      answered.push(`${from} ${cause.status} ${cause.errcode} ${JSON.stringify(cause.body['retry_after_ms'])}`)
    }
  }
  await ask('two.test')
  const others = ['two.test', 'two.test', 'two.test', 'three.test'].map(ask)
  // Two are held up; nothing but the clock lets them go on.
  while (answered.length < 3) await turn()
  assert.deepEqual(answered.toSorted(), ['three.test', 'two.test', 'two.test 429 M_LIMIT_EXCEEDED 1000'])
  home.rt.clock.advance(500)
  await Promise.all(others)
  assert.deepEqual(answered.slice(3), ['two.test', 'two.test'])
  await network.close()
})
