// SPDX-License-Identifier: Apache-2.0
import type { Pdu } from '@myelin/matrix/pdu'
import type { OpenDatabase } from '../databases.ts'
import { ForeignAuthor } from '../foreign-author.ts'
import { testNetwork } from '../network.ts'
import { authorRoom } from '../room-author.ts'
import { SyncedClient } from '../clients/synced-client.ts'

const [alice, bob] = ['@alice:one.test', '@bob:two.test'] as const
const MEMBERS = Array.from({ length: 6 }, (_, index) => `@m${index}:two.test`)

/** Creates a room in which no local user may send, so that no local event merges its forward extremities. */
export async function splitStage(open: OpenDatabase, version: string) {
  const network = await testNetwork({ servers: 2, open })
  const [home, away] = [network.server('one.test'), network.server('two.test')]
  const { token } = await home.register('alice')
  const room = await authorRoom(home.rt, alice, { roomVersion: version, preset: 'public_chat' })
  for (const user of [bob, ...MEMBERS]) await room.member(user, user, 'join')
  const silent = { users: { [bob]: 100, [alice]: 0 }, events_default: 50 }
  await room.send(alice, 'm.room.power_levels', silent, '')
  const client = new SyncedClient(home, token, { limit: 5, stateAfter: true })
  await client.sync()
  return { network, home, room, client, theirs: new ForeignAuthor(home, away) }
}

/** The parts of a test in such a room. */
export type SplitStage = Awaited<ReturnType<typeof splitStage>>

/**
 * Returns events that all continue the same one: topics, power levels, kicks and new names. The state after each allows all
 * others, so none is soft-failed.
 */
export async function forks({ room, theirs }: SplitStage, count: number): Promise<Pdu[]> {
  const prevEvents = await theirs.extremities(room.roomId)
  const built: Pdu[] = []
  for (let at = 0; at < count; at++) {
    const [kicked, renamed] = [MEMBERS[at % 3] ?? bob, MEMBERS[3 + (at % 3)] ?? bob]
    const levels = { users: { [bob]: 100, [alice]: 0, [renamed]: at }, events_default: 50 }
    const drafts = [
      { sender: bob, type: 'm.room.topic', stateKey: '', content: { topic: `${at}` } },
      { sender: bob, type: 'm.room.power_levels', stateKey: '', content: levels },
      { sender: bob, type: 'm.room.member', stateKey: kicked, content: { membership: 'leave', reason: `${at}` } },
      {
        sender: renamed,
        type: 'm.room.member',
        stateKey: renamed,
        content: { membership: 'join', displayname: `${at}` },
      },
    ]
    const draft = drafts[(at * 7 + Math.floor(at / 5)) % drafts.length]
    if (draft) built.push(await theirs.build({ roomId: room.roomId, prevEvents, ...draft }))
  }
  return built
}
