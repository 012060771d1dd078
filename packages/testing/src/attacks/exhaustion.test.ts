// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { backfillGap, timelineGaps } from '@myelin/services/rooms/intake/backfill'
import { stagePdu } from '@myelin/storage/federation/staged-pdus'
import { onEveryDatabase } from '../databases.ts'
import { keyDocument } from '../fake-servers/honest-answers.ts'
import { bob, onStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { always, stateNow, answerWith } from './hostile-answers.ts'

/** An event that continues something nobody has. */
async function dangling(stage: Stage, serial: number) {
  const { json } = await stage.build({ body: `${serial}` })
  const nowhere = `$${`${serial}`.padStart(43, 'x')}`
  return stage.evil.seal({ ...json, prev_events: [nowhere] }, stage.version)
}

onEveryDatabase('one event that we fail at', (open) => {
  test('synapse#7543: does not hold up its room', () =>
    onStage(open, '12', async (stage) => {
      const { rt } = stage.home
      const broken = {
        origin: 'evil.test' as ServerName,
        roomId: stage.room.roomId,
        pdu: 'what no code of ours can have written',
      }
      await rt.db.write((tx) => stagePdu(tx, broken, 0))
      const event = await stage.build({})
      await stage.evil.send([event.json])
      assert.equal(await stage.status(event.id), 'accepted')
    }))
})

onEveryDatabase('expensive requests', (open) => {
  test('CVE-2023-45129: an ACL of 10,000 globs is judged without delay, for every event again', () =>
    onStage(open, '12', async (stage) => {
      // 65,536 bytes is what an event has: as many of the worst globs as fit.
      const deny = Array.from({ length: 5000 }, (_, index) => `*a*b*${index}x`)
      await stage.room.send(stage.alice.userId, 'm.room.server_acl', { allow: ['*'], deny }, '')
      for (let turn = 0; turn < 3; turn++) {
        const prevEvents = (await stage.evil.author.extremities(stage.room.roomId)).slice(0, 20)
        const events = await Promise.all(
          Array.from({ length: 50 }, (_, index) => stage.build({ body: `${turn} ${index}`, prevEvents })),
        )
        await stage.evil.send(events.map(({ json }) => json))
        for (const { id } of events) assert.equal(await stage.status(id), 'accepted')
      }
    }))

  test('4.2 D: power levels of as many users as an event holds leave the room as it was', () =>
    onStage(open, '12', async (stage) => {
      const users = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`@u${index}:evil.test`, 1]))
      const levels = await stage.build({
        sender: bob,
        type: 'm.room.power_levels',
        stateKey: '',
        content: { users: { [bob]: 50, ...users } },
      })
      await stage.evil.send([levels.json])
      assert.equal(await stage.status(levels.id), 'accepted')
    }))

  test('4.2 D: 20 prev events with 10 auth events each, all of them wide, come together in one', () =>
    onStage(open, '12', async (stage) => {
      const extremities = await stage.evil.author.extremities(stage.room.roomId)
      const branches = []
      for (let at = 0; at < 20; at++)
        branches.push(
          await stage.build({
            sender: bob,
            type: 'm.room.topic',
            stateKey: '',
            content: { topic: `${at}` },
            prevEvents: extremities,
          }),
        )
      await stage.evil.send(branches.map(({ json }) => json))
      const merge = await stage.build({ sender: bob, prevEvents: branches.map(({ id }) => id) })
      await stage.evil.send([merge.json])
      // An event of our own may stand beside it: we bring heads together ourselves where they are many.
      const left = await stage.evil.author.extremities(stage.room.roomId)
      assert.ok(left.includes(merge.id) && !branches.some(({ id }) => left.includes(id)))
    }))

  test('4.2 D: a room with hundreds of forks is brought together by our next events', () =>
    onStage(open, '12', async (stage) => {
      const extremities = await stage.evil.author.extremities(stage.room.roomId)
      for (let turn = 0; turn < 4; turn++) {
        const forks = []
        for (let at = 0; at < 50; at++)
          forks.push(await stage.build({ body: `${turn} ${at}`, prevEvents: extremities }))
        await stage.evil.send(forks.map(({ json }) => json))
      }
      for (let turn = 0; turn < 12; turn++) await stage.room.say(stage.alice.userId, 'together')
      assert.equal((await stage.evil.author.extremities(stage.room.roomId)).length, 1)
    }))

  test('4.2 D: 50 events that each continue something unknown cost a bounded number of questions', () =>
    onStage(open, '12', async (stage) => {
      const events = []
      for (let at = 0; at < 50; at++) events.push(await dangling(stage, at))
      const before = stage.evil.asked.length
      await stage.evil.send(events.map(({ json }) => json))
      const asked = stage.evil.asked.length - before
      assert.ok(asked <= 10, `${asked} questions`)
    }))

  test('4.2 D: 50 events that each name unknown auth events cost a bounded number of questions', () =>
    onStage(open, '12', async (stage) => {
      const events = []
      for (let at = 0; at < 50; at++) {
        const { json } = await stage.build({ body: `${at}` })
        const auth = Array.from({ length: 10 }, (_, index) => `$${`${at}x${index}`.padStart(43, 'y')}`)
        events.push(stage.evil.seal({ ...json, auth_events: auth }, stage.version))
      }
      const before = stage.evil.asked.length
      await stage.evil.send(events.map(({ json }) => json))
      const asked = stage.evil.asked.length - before
      assert.ok(asked <= 60, `${asked} questions`)
    }))

  test('4.2 D: endless history is backfilled a page at a time, and only on demand', () =>
    onStage(open, '12', async (stage) => {
      const hidden = await stage.build({ body: 'hidden' })
      const event = await stage.build({ prevEvents: [hidden.id], authEvents: hidden.authEvents })
      const state = await stateNow(stage)
      answerWith(stage, state, [hidden])
      await stage.evil.send([event.json])
      let invented = 0
      const { evil } = stage
      evil.answers.set('backfill/', () => {
        const pdus: JsonObject[] = []
        for (let at = 0; at < 500; at++)
          pdus.push(
            evil.seal({ ...hidden.json, prev_events: [`$${`${++invented}`.padStart(43, 'z')}`] }, stage.version).json,
          )
        return { pdus }
      })
      const before = evil.asked.length
      for (let turn = 0; turn < 5; turn++) {
        for (const gap of (await timelineGaps(stage.home.rt, stage.room.roomId, 0, Number.MAX_SAFE_INTEGER)).slice(
          0,
          1,
        ))
          await backfillGap(stage.home.rt, stage.room.roomId, gap)
      }
      assert.ok(evil.asked.length - before <= 200, `${evil.asked.length - before} questions`)
      evil.answers.delete('backfill/')
    }))

  test('4.2 D: a state of 100,000 invented ids is left alone after one more question', () =>
    onStage(open, '12', async (stage) => {
      const ids = Array.from({ length: 100_000 }, (_, index) => `$${`${index}`.padStart(43, 's')}`)
      stage.evil.answers.set('state_ids/', always({ pdu_ids: ids, auth_chain_ids: ids }))
      const before = stage.evil.asked.length
      await stage.evil.send([(await dangling(stage, 1)).json])
      assert.ok(stage.evil.asked.length - before <= 6)
    }))

  test('4.2 D: an auth chain that goes round in a ring, and one without end, come to an end', () =>
    onStage(open, '1', async (stage) => {
      const { json } = await stage.build({})
      const link = (id: string, to: string) =>
        stage.evil.seal(
          { ...json, event_id: id, auth_events: [[to, { sha256: 'x' }]], prev_events: [[to, { sha256: 'x' }]] },
          stage.version,
        )
      const ring = [
        link('$a:evil.test', '$b:evil.test'),
        link('$b:evil.test', '$a:evil.test'),
        link('$c:evil.test', '$c:evil.test'),
      ]
      const chain = Array.from({ length: 2000 }, (_, at) => link(`$l${at}:evil.test`, `$l${at + 1}:evil.test`))
      const all = [...ring, ...chain].map((each) => each.json)
      stage.evil.answers.set('event_auth/', always({ auth_chain: all }))
      stage.evil.answers.set('get_missing_events/', always({ events: all.slice(0, 100) }))
      await stage.evil.send([...ring, chain[0]!].map((each) => each.json))
      for (const { id } of ring) assert.notEqual(await stage.status(id), 'accepted')
    }))

  test('4.2 D: events of 1,000 unknown servers do not delay an honest one', () =>
    onStage(open, '12', async (stage) => {
      const { json } = await stage.build({})
      const events = Array.from({ length: 50 }, (_, at) => ({
        ...json,
        sender: `@x:s${at}.test`,
        signatures: { [`s${at}.test`]: { 'ed25519:a': 'AAAA' } },
        depth: at + 1,
      }))
      const good = await stage.build({ body: 'good' })
      await stage.evil.send([...events.slice(0, 49), good.json])
      assert.equal(await stage.status(good.id), 'accepted')
    }))

  test('4.2 D: answers that are no JSON, no object, or objects of anything are as good as none', () =>
    onStage(open, '12', async (stage) => {
      const odd: readonly (string | JsonObject)[] = [
        '',
        'nonsense',
        '[]',
        'null',
        '{"pdus":null}',
        '{"pdus":[null,1,"x",[],{}]}',
        `{"pdus":${'['.repeat(5000)}${']'.repeat(5000)}}`,
        '{"events":{"a":1}}',
        '{"auth_chain":7,"pdu_ids":[[],{},null,7]}',
        '{"pdu_ids":["","$","\\u0000"],"auth_chain_ids":"x"}',
        '{"pdus":[{"__proto__":{"room_id":1}}],"__proto__":[]}',
        '{"a":1,"a":2}',
        { events: [{ room_id: stage.room.roomId }], pdus: [{ room_id: stage.room.roomId, type: 7 }] },
      ]
      for (const [at, answer] of odd.entries()) {
        for (const what of ['event/', 'event_auth/', 'state/', 'state_ids/', 'get_missing_events/', 'backfill/'])
          stage.evil.answers.set(what, () => answer)
        const good = await stage.build({ body: `good ${at}` })
        await stage.evil.send([(await dangling(stage, 1000 + at)).json, good.json])
        assert.equal(await stage.status(good.id), 'accepted')
      }
    }))

  test('4.2 D: a server whose published keys are thousands, or nonsense, is answered all the same', () =>
    onStage(open, '12', async (stage) => {
      const { json } = await stage.build({})
      const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`ed25519:k${at}`, { key: 'AAAA' }]))
      const documents: readonly (JsonObject | string)[] = [
        keyDocument('odd.test', { validUntilTs: 2 ** 52, more: { old_verify_keys: keys } }),
        { server_name: 'odd.test', verify_keys: keys },
        'x',
        { verify_keys: [], server_name: 1 },
        '{"server_name":"odd.test","verify_keys":{"__proto__":{"key":"AAAA"}},"valid_until_ts":1e400}',
      ]
      for (const [at, document] of documents.entries()) {
        stage.peers.set('odd.test', () => document)
        stage.home.rt.clock.advance(600_000)
        const odd = {
          ...json,
          sender: '@x:odd.test',
          depth: 100 + at,
          signatures: { 'odd.test': Object.fromEntries(Object.keys(keys).map((id) => [id, 'AAAA'])) },
        }
        const small = { ...odd, signatures: { 'odd.test': { 'ed25519:k1': 'AAAA' } } }
        const good = await stage.build({ body: `${at}` })
        await stage.evil.send([small, good.json])
        assert.equal(await stage.status(good.id), 'accepted')
      }
    }))
})
