// SPDX-License-Identifier: Apache-2.0
import type { LivekitSettings } from '@myelin/kit/settings'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Runtime } from '../runtime/runtime.ts'
import { livekitToken } from './livekit-token.ts'

type Needs = Pick<Runtime, 'remote' | 'clock'>

const TIMEOUT_MS = 10_000
/** The time for which the SFU keeps a room without participants: before the first one, and after the last one. */
const EMPTY_TIMEOUT_S = 300
const DEPARTURE_TIMEOUT_S = 20

/** Creates a LiveKit room, or does nothing where there is one. Throws a `RemoteError` where the SFU does not. */
export async function createLivekitRoom(rt: Needs, livekit: LivekitSettings, room: string): Promise<void> {
  const body = { name: room, empty_timeout: EMPTY_TIMEOUT_S, departure_timeout: DEPARTURE_TIMEOUT_S }
  const status = await call(rt, livekit, 'CreateRoom', { video: { roomCreate: true }, body })
  if (status !== 200) throw new RemoteError('refused', `the SFU answered ${status}`, { status })
}

/** Returns whether a participant is in a LiveKit room. Throws a `RemoteError` where the SFU does not say. */
export async function isInLivekitRoom(
  rt: Needs,
  livekit: LivekitSettings,
  room: string,
  identity: string,
): Promise<boolean> {
  const video = { roomAdmin: true, room }
  const status = await call(rt, livekit, 'GetParticipant', { video, body: { room, identity } })
  if (status === 404) return false
  if (status !== 200) throw new RemoteError('refused', `the SFU answered ${status}`, { status })
  return true
}

async function call(
  { remote, clock }: Needs,
  livekit: LivekitSettings,
  method: string,
  { video, body }: { readonly video: JsonObject; readonly body: JsonObject },
): Promise<number> {
  const reply = await remote.callOwn(new URL(`${livekit.apiUrl}/twirp/livekit.RoomService/${method}`), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${livekitToken(livekit, { video }, clock.now())}`,
    },
    body: JSON.stringify(body),
    timeoutMs: TIMEOUT_MS,
  })
  // The connection can be used again once the body was read.
  for await (const _ of reply.body) continue
  return reply.status
}
