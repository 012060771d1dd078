// SPDX-License-Identifier: Apache-2.0
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { round } from '@myelin/testing/latency'
import { eventBody, inParallel, namesFor, registerMany, roomWith, sendPath } from './fixture.ts'
import type { ServerProcess } from '@myelin/testing/processes/server-process'
import type { Workload, WorkloadRun } from './workload.ts'

const MEMBERS = 10

/** W15a: memory when empty and with 1,000 rooms of 10 members, also after a fresh start, and how long that takes. */
export const w15a: Workload = {
  name: 'W15a',
  title: 'memory with 1,000 rooms of 10 members',
  needsOwn: true,
  async run({ target, scale, progress }) {
    const own = started(target.own)
    const count = Math.max(1, Math.round(1000 * scale))
    const emptyStartMs = await own.renew()
    const empty = own.residentBytes()
    const users = await registerMany(target, namesFor(target, 'w15a', MEMBERS))
    const registered = own.residentBytes()
    const rooms = await inParallel(users, users.length, (user, index) => createRooms(user, index, count, progress))
    await inParallel(users, users.length, async (user, index) => {
      for (const room of rooms.flatMap((each, maker) => (maker === index ? [] : each)))
        await user.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(room)}`, {})
    })
    const full = own.residentBytes()
    for (const user of users) user.close()
    const fullStartMs = await own.renew()
    const row = (state: string, bytes: number, startMs?: number) => ({
      state,
      'RSS MiB': round(bytes / 2 ** 20),
      ...(startMs === undefined ? {} : { 'start ms': Math.round(startMs) }),
    })
    return [
      row('started', empty, emptyStartMs),
      row(`${MEMBERS} users registered`, registered),
      row(`${count} rooms made and joined`, full),
      row(`the same, started again`, own.residentBytes(), fullStartMs),
    ]
  },
}

/** W15b: bytes on disk of a message and of a state change, indexes and all, in one room. */
export const w15b: Workload = {
  name: 'W15b',
  title: 'bytes on disk, in one room',
  needsOwn: true,
  async run({ target, scale, progress }) {
    const own = started(target.own)
    const messages = Math.round(20_000 * scale)
    const changes = Math.round(2000 * scale)
    const users = await registerMany(target, namesFor(target, 'w15b', 32))
    const room = await roomWith(users)
    const measured = async (
      what: string,
      { actors, count }: { readonly actors: readonly MatrixClient[]; readonly count: number },
      each: (user: MatrixClient, serial: number) => Promise<unknown>,
    ) => {
      for (const user of users) user.close()
      await own.renew()
      const before = await own.bytesOnDisk()
      let serial = 0
      const share = Math.ceil(count / actors.length)
      await inParallel(actors, actors.length, async (user) => {
        for (let turn = 0; turn < share; turn++) {
          await each(user, serial++)
          if (serial % 100 === 0) progress(`W15b: ${what} ${serial} of ${count}`)
        }
      })
      for (const user of users) user.close()
      await own.renew()
      const grown = (await own.bytesOnDisk()) - before
      return { what, count: serial, 'MiB grown': round(grown / 2 ** 20), 'bytes each': Math.round(grown / serial) }
    }
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}`
    const isOut = new Set<MatrixClient>()
    // The first user stays: a room that all local users have left cannot be joined any more.
    const movers = users.slice(1)
    return [
      await measured('message of 100 bytes', { actors: users, count: messages }, (user, serial) =>
        user.call('PUT', sendPath(room, `m${serial}`), JSON.parse(eventBody())),
      ),
      await measured('join or leave', { actors: movers, count: changes }, async (user) => {
        await user.call('POST', `${path}/${isOut.delete(user) ? 'join' : (isOut.add(user), 'leave')}`, {})
      }),
    ]
  },
}

async function createRooms(
  user: MatrixClient,
  index: number,
  count: number,
  progress: WorkloadRun['progress'],
): Promise<string[]> {
  const own: string[] = []
  for (let room = index; room < count; room += MEMBERS) {
    const body = { preset: 'public_chat', name: `Room ${room}` }
    own.push((await user.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', body)).room_id)
    progress(`W15a: room ${room} of ${count}`)
  }
  return own
}

function started(own: ServerProcess | undefined): ServerProcess {
  if (!own) throw new Error('this measures a server that this program starts')
  return own
}
