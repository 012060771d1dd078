// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { join, path, stage } from '../../stages/federated-stage.ts'
import type { User } from '../../stages/federated-stage.ts'

type Event = { readonly type: string; readonly event_id: string; readonly content: { readonly body?: string } }
type Page = { readonly chunk: readonly Event[]; readonly end?: string }
type Slice = {
  readonly next_batch: string
  readonly rooms: {
    readonly join: Record<
      string,
      {
        readonly timeline: { readonly events: readonly Event[]; readonly limited: boolean; readonly prev_batch: string }
      }
    >
  }
}

const MINUTE_MS = 60_000
const MINUTES = 10
const PER_MINUTE = 30

const get = async (who: User, rest: string) => {
  const { status, body } = await who.server.call('GET', `/_matrix/client/v3/${rest}`, { token: who.token })
  assert.equal(status, 200, JSON.stringify(body))
  return body as unknown
}

const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 20 } } }))
const sync = async (who: User, since?: string) =>
  (await get(who, `sync?filter=${filter}${since === undefined ? '' : `&since=${since}`}`)) as Slice

const textsOf = (events: readonly Event[]) =>
  events.flatMap(({ type, content }) => (type === 'm.room.message' ? [content.body ?? ''] : []))

onEveryDatabase('ten minutes of partition', (open) => {
  test('lose nothing: hundreds of messages arrive in order, the gap is marked, and /messages fills it', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    assert.equal((await join(bob, roomId)).status, 200)
    await network.settle()
    const before = await sync(bob)
    network.partition(['one.test'], ['two.test'])
    const said: string[] = []
    for (let minute = 0; minute < MINUTES; minute++) {
      for (let number = 0; number < PER_MINUTE; number++) {
        said.push(`message ${said.length}`)
        const body = { msgtype: 'm.text', body: said.at(-1) }
        const sent = await alice.server.call(
          'PUT',
          `/_matrix/client/v3/${path(roomId, `send/m.room.message/t${said.length}`)}`,
          { token: alice.token, body },
        )
        assert.equal(sent.status, 200)
      }
      await alice.server.workers.outbound.settled()
      network.clock.advance(MINUTE_MS)
    }
    assert.deepEqual(textsOf((await sync(bob, before.next_batch)).rooms.join[roomId]?.timeline.events ?? []), [])
    network.heal()
    await network.settle(async () => {
      const { chunk } = (await get(bob, path(roomId, 'messages?dir=b&limit=1'))) as Page
      return textsOf(chunk)[0] === said.at(-1)
    })

    const { timeline } = (await sync(bob, before.next_batch)).rooms.join[roomId] ?? {}
    assert.ok(timeline)
    assert.equal(timeline.limited, true)
    assert.deepEqual(textsOf(timeline.events), said.slice(-20))
    const filled: string[] = []
    for (let from = timeline.prev_batch; filled.length < said.length; ) {
      const page = (await get(bob, path(roomId, `messages?dir=b&limit=50&from=${from}`))) as Page
      filled.push(...textsOf(page.chunk))
      if (page.end === undefined) break
      from = page.end
    }
    assert.deepEqual(filled.reverse(), said.slice(0, -20))
    await network.close()
  })
})
