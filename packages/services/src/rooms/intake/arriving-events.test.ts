// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { roomVersion } from '@myelin/rules/room-versions'
import { ForeignRoom, publicForeignRoom } from '@myelin/testing/foreign-room'
import { testRuntime, testSigningKey } from '@myelin/testing/runtime'
import { keyDocument } from '@myelin/testing/fake-servers/honest-answers'
import { InProcessServers } from '@myelin/testing/fake-servers/in-process-servers'
import { ArrivingEvents } from './arriving-events.ts'

const NOW = 1_700_000_000_000
const DAY = 86_400_000
const PARCEL = 90

/** A room of two.test with so many members on each of these servers. */
function roomOf(servers: readonly string[], count: number): ForeignRoom {
  const version = roomVersion('12')
  assert.ok(version)
  const room = publicForeignRoom(version, '@host:two.test', testSigningKey, NOW)
  for (let at = 0; at < count * servers.length; at++) {
    const user = `@u${at}:${servers[at % servers.length]}`
    room.append({ sender: user, type: 'm.room.member', stateKey: user, content: { membership: 'join' } })
  }
  return room
}

/** Passes events as texts; returns those accepted, and the number of requests to each server. */
async function arrive(
  room: ForeignRoom,
  texts: readonly string[],
  honest: readonly string[],
  wants: (pdu: Pdu['id']) => boolean = () => true,
) {
  const servers = new InProcessServers()
  for (const name of honest) servers.set(name, () => keyDocument(name, { validUntilTs: NOW + 30 * DAY }))
  const rt = await testRuntime(undefined, {}, { transport: servers })
  const taken: Pdu[] = []
  let isTaking = false
  const take = async (pdus: readonly Pdu[]) => {
    assert.equal(isTaking, false, 'groups are taken one after the other')
    isTaking = true
    await new Promise((resolve) => setImmediate(resolve))
    taken.push(...pdus)
    isTaking = false
  }
  const events = new ArrivingEvents(rt, room, { wants, take })
  const ids: string[] = []
  try {
    for (let at = 0; at < texts.length; at += PARCEL) ids.push(...(await events.add(texts.slice(at, at + PARCEL))))
    await events.end()
  } finally {
    await events.close()
    await rt.close()
  }
  const asked = (name: string) => servers.asked.filter(({ destination }) => destination === name).length
  return { taken, ids, asked }
}

const textsOf = (room: ForeignRoom) => [...room.events.values()].map(({ json }) => JSON.stringify(json))
const idsOf = (pdus: readonly Pdu[]) => pdus.map(({ id }) => id).toSorted()

describe('events that arrive', () => {
  test('are all taken, once each, checked on all cores where they are many', async () => {
    const room = roomOf(['two.test', 'three.test'], 750)
    const texts = textsOf(room)
    const { taken, ids, asked } = await arrive(room, [...texts, ...texts.slice(0, 500)], ['two.test', 'three.test'])
    assert.deepEqual(idsOf(taken), [...room.events.keys()].toSorted())
    assert.equal(ids.length, texts.length + 500)
    assert.deepEqual([asked('two.test'), asked('three.test')], [1, 1])
  })

  test('are left out one by one where they are none, of another room, not signed, or of a server that is gone', async () => {
    const room = roomOf(['two.test', 'gone.test'], 300)
    const good = [...room.events.values()].filter(({ sender }) => sender.endsWith(':two.test'))
    const forged = { ...good.at(-1)?.json, origin_server_ts: NOW + 5 } as JsonObject
    const deep = `{"content":${'['.repeat(300)}${']'.repeat(300)}}`
    const other = textsOf(roomOf(['two.test'], 0)).slice(0, 1)
    const odd = ['7', 'null', '[]', '{}', '{"a":1,"a":2}', '"\\ud800"', deep, JSON.stringify(forged), ...other]
    const { taken, asked } = await arrive(room, [...textsOf(room), ...odd], ['two.test'])
    assert.deepEqual(idsOf(taken), idsOf(good))
    assert.equal(asked('gone.test'), 1, 'who is gone is waited for once')
  })

  test('lose what they say where it is not what was hashed, and stay', async () => {
    const room = roomOf(['two.test'], 1)
    const name = room.build({ sender: '@host:two.test', type: 'm.room.name', stateKey: '', content: { name: 'A' } })
    const changed = JSON.stringify({ ...name.json, content: { name: 'B' } })
    const { taken } = await arrive(room, [changed], ['two.test'])
    assert.deepEqual(
      taken.map(({ id, content }) => [id, content]),
      [[name.id, {}]],
    )
  })

  test('are not checked where they are not wanted', async () => {
    const room = roomOf(['two.test'], 300)
    const { taken, ids, asked } = await arrive(room, textsOf(room), ['two.test'], () => false)
    assert.deepEqual([taken.length, ids.length, asked('two.test')], [0, room.events.size, 0])
  })

  test('end where a text is not JSON, and where they are not taken', async () => {
    const room = roomOf(['two.test'], 3)
    await assert.rejects(arrive(room, [...textsOf(room), '{"a":'], ['two.test']), { code: 'M_NOT_JSON' })
    const servers = new InProcessServers()
    servers.set('two.test', () => keyDocument('two.test', { validUntilTs: NOW + DAY }))
    const rt = await testRuntime(undefined, {}, { transport: servers })
    const events = new ArrivingEvents(rt, room, {
      wants: () => true,
      take: () => Promise.reject(new Error('the disk is full')),
    })
    await events.add(textsOf(room))
    await assert.rejects(events.end(), /the disk is full/)
    await events.close()
    await rt.close()
  })
})
