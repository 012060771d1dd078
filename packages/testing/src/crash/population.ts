// SPDX-License-Identifier: Apache-2.0
import type { MatrixClient } from '../clients/matrix-client.ts'
import { registerUsers } from '../clients/matrix-client.ts'
import type { Chance } from '../chance.ts'

/** A room and the members that send in it. */
export interface PopulatedRoom {
  readonly roomId: string
  readonly version: string
  readonly members: readonly MatrixClient[]
  /** Members that only read. */
  readonly silent: readonly MatrixClient[]
}

/** The users and rooms of a run, and the optional endpoints that the server has. */
export interface Population {
  readonly users: readonly MatrixClient[]
  /** Joined everywhere, sends nothing, reads everything. */
  readonly auditor: MatrixClient
  /** Joined to the first room, sends nothing. */
  readonly listener: MatrixClient
  readonly rooms: readonly PopulatedRoom[]
  readonly hasToDevice: boolean
  readonly hasKeys: boolean
}

const VERSIONS = ['12', '11', '10'] as const

/** Makes users and rooms: each user is in about half of the rooms, and may write state in them. */
export async function createPopulation(
  { url, secret }: { readonly url: string; readonly secret: string },
  size: { readonly users: number; readonly rooms: number },
  chance: Chance,
): Promise<Population> {
  const names = Array.from({ length: size.users }, (_, index) => `user${index}`)
  const [auditor, listener, ...users] = await registerUsers(url, secret, ['auditor', 'listener', ...names])
  if (!auditor || !listener) throw new Error('no user can read')
  const rooms: PopulatedRoom[] = []
  for (let serial = 0; serial < size.rooms; serial++) {
    const version = VERSIONS[serial % VERSIONS.length] ?? '12'
    const { room_id: roomId } = await auditor.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      preset: 'public_chat',
      room_version: version,
      power_level_content_override: { events: { 'org.myelin.mark': 0 } },
    })
    const members = users.filter((_, index) => index % size.rooms === serial || chance.part() < 0.4)
    const silent = serial === 0 ? [listener] : []
    for (const member of [...members, ...silent])
      await member.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {})
    rooms.push({ roomId, version, members, silent: [auditor, ...silent] })
  }
  const [someone] = users
  const toDevice = await someone?.send(
    'PUT',
    '/_matrix/client/v3/sendToDevice/org.myelin.mark/probe',
    '{"messages":{}}',
  )
  const keys = await someone?.send('POST', '/_matrix/client/v3/keys/upload', '{}')
  return { users, auditor, listener, rooms, hasToDevice: toDevice?.status === 200, hasKeys: keys?.status === 200 }
}
