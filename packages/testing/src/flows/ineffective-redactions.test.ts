// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../databases.ts'
import { authorRoom } from '../room-author.ts'
import { testServer } from '../server.ts'

onEveryDatabase('a redaction that has no effect', (open) => {
  test('is not shown, wherever events are read', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
    await room.member(bob.userId, bob.userId, 'join')
    const other = await authorRoom(server.rt, alice.userId)
    const call = async (path: string) => {
      const answer = await server.call('GET', `/_matrix/client/v3/${path}`, { token: bob.token })
      return answer.body
    }
    const since = String((await call('sync'))['next_batch'])
    const elsewhere = await other.say(alice.userId, 'in another room')
    const said = await room.say(bob.userId, 'here')
    const redact = (target: string) => room.send(bob.userId, 'm.room.redaction', { redacts: target })
    const ineffective = [await redact(elsewhere), await redact('$nothing-that-anybody-has-sent-anywhere-at-all')]
    const effective = await redact(said)
    const path = `rooms/${encodeURIComponent(room.roomId)}`
    const idsIn = (events: unknown) => (events as { event_id: string }[]).map(({ event_id: id }) => id)
    const { join } = (await call(`sync?since=${since}`))['rooms'] as {
      join: Record<string, { timeline: { events: unknown } }>
    }
    assert.deepEqual(idsIn(join[room.roomId]?.timeline.events), [said, effective])
    assert.deepEqual(idsIn((await call(`${path}/messages?dir=b&limit=2`))['chunk']), [effective, said])
    const context = await call(`${path}/context/${encodeURIComponent(said)}?limit=8`)
    assert.deepEqual(idsIn(context['events_after']), [effective])
    for (const id of ineffective)
      assert.equal((await call(`${path}/event/${encodeURIComponent(id)}`))['errcode'], 'M_NOT_FOUND')
  })
})
