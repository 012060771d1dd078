// SPDX-License-Identifier: Apache-2.0
import { rehearse } from '@myelin/kit/crash-point'
import type { UserId } from '@myelin/matrix/ids'
import { createRoom } from '@myelin/services/rooms/create-room'
import { MAX_REDACTED_AT_ONCE } from '@myelin/storage/rooms/events/redactions'
import { openAt } from './killed-node.ts'
import { authorRoom } from '../room-author.ts'
import { testRuntime } from '../runtime.ts'
import type { TestRuntime } from '../runtime.ts'

/**
 * Work in the middle of which the process kills itself, once its first unit is on disk: `killed-work.ts PLACE WORK`.
 */
const [place = '', work = ''] = process.argv.slice(2)
const rt = await testRuntime(openAt(place))
await (work === 'invites' ? createLargeRoom(rt) : banLoudUser(rt))
throw new Error('the work is done')

/** Invites more users than one unit does. */
async function createLargeRoom(runtime: TestRuntime): Promise<void> {
  const invite = Array.from({ length: 50 }, (_, at) => `@u${at}:one.test` as UserId)
  const initialState = Array.from({ length: 300 }, (_, at) => ({ type: 'a.b', stateKey: `${at}`, content: { at } }))
  dieAtNextSync()
  await createRoom(runtime, '@alice:one.test' as UserId, {
    visibility: 'private',
    invite,
    isDirect: false,
    initialState,
    creationContent: {},
  })
}

/** Appends a ban by a user of another server that redacts more events than one unit does. */
async function banLoudUser(runtime: TestRuntime): Promise<void> {
  const room = await authorRoom(runtime, '@alice:one.test', { preset: 'public_chat' })
  for (const user of ['@bob:two.test', '@mod:three.test']) await room.member(user, user, 'join')
  const levels = { users: { '@mod:three.test': 50 } }
  await room.send('@alice:one.test', 'm.room.power_levels', levels, '')
  for (let at = 0; at < MAX_REDACTED_AT_ONCE * 2 + 20; at++) await room.say('@bob:two.test', `${at}`)
  dieAtNextSync()
  const content = { membership: 'ban', 'org.matrix.msc4293.redact_events': true }
  await room.send('@mod:three.test', 'm.room.member', content, '@bob:two.test')
}

function dieAtNextSync(): void {
  rehearse({ reach: (point) => void (point === 'synced' && process.kill(process.pid, 'SIGKILL')) })
}
