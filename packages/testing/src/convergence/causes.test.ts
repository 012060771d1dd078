// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventId } from '@myelin/matrix/ids'
import { stage, join, path, user } from '../stages/federated-stage.ts'
import type { Stage, User } from '../stages/federated-stage.ts'
import { openTemporarySqlite } from '../databases.ts'
import { SyncedClient } from '../clients/synced-client.ts'
import { viewOf } from './agreement.ts'
import type { View } from './agreement.ts'
import { causeOf, everythingArrived } from './causes.ts'
import type { SyncedUser } from './simulation.ts'

const syncedUser = (who: User): SyncedUser => ({
  ...who,
  client: new SyncedClient(who.server, who.token, { limit: 5, stateAfter: true }),
})

async function put(who: User, { network, roomId }: Stage, rest: string, body: Record<string, unknown>): Promise<void> {
  // Later events win, also among events of one author.
  network.clock.advance(1_000)
  const asked = { token: who.token, body }
  const { status, body: said } = await who.server.call('PUT', `/_matrix/client/v3/${path(roomId, rest)}`, asked)
  assert.equal(status, 200, JSON.stringify(said))
  await network.settle()
}

/**
 * While nobody reaches anybody, alice puts bob out and closes the room, and carol, of bob's server, comes in. `after` comes
 * when all reach each other again.
 */
async function lockedOut(after: (at: Stage) => Promise<void> = async () => {}) {
  const at = await stage(openTemporarySqlite)
  const { network, alice, bob, roomId } = at
  const carol = await user(network, 'carol', 'two.test')
  assert.equal((await join(bob, roomId)).status, 200)
  await network.settle()
  network.partition(['one.test'], ['two.test'])
  await put(alice, at, `state/m.room.member/${encodeURIComponent(bob.userId)}`, { membership: 'leave' })
  await put(alice, at, 'state/m.room.join_rules/', { join_rule: 'invite' })
  assert.equal((await join(carol, roomId)).status, 200)
  network.heal()
  for (const who of [carol, alice])
    await put(who, at, 'send/m.room.message/again', { msgtype: 'm.text', body: 'here I am' })
  await network.settle(() => alice.server.workers.outbound.busyCount + bob.server.workers.outbound.busyCount === 0)
  for (const { server } of [alice, bob]) await server.workers.inbound.settled()
  await after(at)
  const simulation = { users: [syncedUser(alice), syncedUser(bob), syncedUser(carol)], roomId } as const
  const views = [await viewOf(simulation, alice.server), await viewOf(simulation, bob.server)] as const
  return { network, views }
}

const without = (view: View, id: EventId): View => {
  const events = new Map(view.ledger.events)
  events.delete(id)
  return { ...view, ledger: { ...view.ledger, events } }
}

/** The same, but after an event, as the view has the room, nobody of a server is in it. */
function withoutServer(view: View, id: EventId, server: string): View {
  const root = view.ledger.events.get(id)?.stateAfter ?? 0
  const state = [...(view.ledger.states.get(root) ?? [])].filter(([key]) => !key.endsWith(`:${server}`))
  return { ...view, ledger: { ...view.ledger, states: new Map([...view.ledger.states, [root, new Map(state)]]) } }
}

describe('why two servers see two rooms', () => {
  test('is that one came in by a join that the room does not want', async () => {
    const { network, views } = await lockedOut()
    const [one, two] = views
    everythingArrived(views, Infinity)
    assert.equal(causeOf(one, two, views), 'locked out')
    assert.equal(causeOf(two, one, views), 'locked out')
    await network.close()
  })

  test('is that no user can merge a fork that the resolution would allow to merge', async () => {
    const { network, views } = await lockedOut((at) =>
      put(at.alice, at, 'state/m.room.join_rules/', { join_rule: 'public' }),
    )
    const [one, two] = views
    assert.equal(causeOf(one, two, views), 'kept apart')
    // A user with the forward extremities of both could have merged them, if allowed to send.
    const witness: View = { ...one, shown: one.shown.union(two.shown) }
    assert.throws(() => causeOf(one, two, [...views, witness]), /knows both sides/)
    const mute: View = { ...two, shown: one.shown.union(two.shown) }
    assert.equal(causeOf(one, two, [...views, mute]), 'unheard')
    await network.close()
  })

  test('is not proven where one never judged what the other said', async () => {
    const { network, views } = await lockedOut()
    const [one, two] = views
    const [word] = two.extremities
    assert.ok(word)
    assert.throws(() => causeOf(without(one, word), two, views), /nothing explains it: .* was not judged/)
    assert.throws(() => everythingArrived([two, without(one, word)], Infinity), /did not reach one\.test/)
    // Events sent while a server is not in the room are not for that server.
    assert.equal(causeOf(without(one, word), withoutServer(two, word, 'one.test'), views), 'locked out')
    await network.close()
  })
})
