// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '../databases.ts'
import { join, path, stage } from '../stages/federated-stage.ts'
import type { User } from '../stages/federated-stage.ts'

const MINUTE_MS = 60_000
const COUNT = 250

type Page = { readonly chunk: readonly { readonly event_id: string }[]; readonly end?: string }

async function get(
  who: User,
  rest: string,
  version = 'v3',
): Promise<{ status: number; body: Record<string, unknown> }> {
  return who.server.call('GET', `/_matrix/client/${version}/${rest}`, { token: who.token })
}

async function put(who: User, rest: string, content: JsonObject): Promise<string> {
  const answer = await who.server.call('PUT', `/_matrix/client/v3/${rest}`, { token: who.token, body: content })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return String(answer.body['event_id'])
}

onEveryDatabase('a time of which only another server has events', (open) => {
  test('leads to the event, and from there to what stands around it', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    const sent: { readonly id: string; readonly ts: number }[] = []
    for (let at = 0; at < COUNT; at++) {
      network.clock.advance(MINUTE_MS)
      const id = await put(alice, path(roomId, `send/m.room.message/t${at}`), { msgtype: 'm.text', body: String(at) })
      sent.push({ id, ts: network.clock.now() })
    }
    assert.equal((await join(bob, roomId)).status, 200)
    await network.settle()
    for (const [direction, at, off] of [
      ['f', 40, -1],
      ['b', 40, 1],
      ['b', 12, 0],
      ['f', 200, -1],
    ] as const) {
      const { id, ts } = sent[at]!
      const found = await get(bob, path(roomId, `timestamp_to_event?dir=${direction}&ts=${ts + off}`), 'v1')
      assert.deepEqual([found.status, found.body], [200, { event_id: id, origin_server_ts: ts }])
    }
    const context = await get(bob, path(roomId, `context/${encodeURIComponent(sent[40]!.id)}?limit=4`))
    assert.equal(context.status, 200)
    const from = encodeURIComponent(String(context.body['start']))
    const { chunk } = (await get(bob, path(roomId, `messages?dir=b&limit=10&from=${from}`))).body as unknown as Page
    assert.deepEqual(
      chunk.map(({ event_id }) => event_id),
      sent
        .slice(28, 38)
        .map(({ id }) => id)
        .reverse(),
    )
    const asked = network.crossings.filter(({ target }) => target.includes('/backfill/')).length
    await get(bob, path(roomId, `timestamp_to_event?dir=f&ts=${sent[41]!.ts}`), 'v1')
    assert.equal(network.crossings.filter(({ target }) => target.includes('/backfill/')).length, asked)
    await network.close()
  })

  test('finds nothing where the event is hidden from the requester', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    await put(alice, path(roomId, 'state/m.room.history_visibility'), { history_visibility: 'joined' })
    network.clock.advance(MINUTE_MS)
    const ts = network.clock.now()
    await put(alice, path(roomId, 'send/m.room.message/a'), { msgtype: 'm.text', body: 'secret' })
    network.clock.advance(MINUTE_MS)
    await put(alice, path(roomId, 'send/m.room.message/b'), { msgtype: 'm.text', body: 'secret, too' })
    network.clock.advance(MINUTE_MS)
    assert.equal((await join(bob, roomId)).status, 200)
    await network.settle()
    const { status, body } = await get(bob, path(roomId, `timestamp_to_event?dir=f&ts=${ts}`), 'v1')
    assert.equal(status, 200)
    assert.ok(Number(body['origin_server_ts']) >= network.clock.now(), 'what bob may read begins with his join')
    await network.close()
  })
})
