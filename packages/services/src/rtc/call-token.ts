// SPDX-License-Identifier: Apache-2.0
import type { LivekitSettings } from '@myelin/kit/settings'
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { requireJoinedToCall } from './call-member.ts'
import { createLivekitRoom } from './livekit-api.ts'
import { livekitIdentityOf, livekitRoomOf } from './livekit-names.ts'
import { joinGrant, livekitToken } from './livekit-token.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'config' | 'remote' | 'serverName' | 'log'>

/** A user's place in a call. */
export interface CallPlace {
  readonly roomId: RoomId
  readonly slotId: string
  readonly memberId: string
  /** The device that the client claims; it is part of the participant's identity only. */
  readonly deviceId: string
}

/** Returns the SFU of this server; throws `M_NOT_FOUND` where there is none. */
export function ownSfu({ config }: Pick<Runtime, 'config'>): LivekitSettings {
  if (!config.rtc.livekit) throw new MatrixError('M_NOT_FOUND', 'this server has no SFU')
  return config.rtc.livekit
}

/**
 * Returns a token with which a user enters a LiveKit room of this server's SFU. The room is created for local users only, so a
 * call of users of other servers alone costs this server nothing.
 *
 * @throws `M_FORBIDDEN` where the user is not joined to the Matrix room, `M_UNKNOWN` (502) where the SFU does not answer
 */
export async function tokenFor(
  rt: Needs,
  user: UserId,
  roomId: RoomId,
  names: { readonly room: string; readonly identity: string },
): Promise<string> {
  const livekit = ownSfu(rt)
  await requireJoinedToCall(rt, roomId, user)
  if (serverOf(user) === rt.serverName) await createRoom(rt, livekit, names.room)
  return livekitToken(livekit, joinGrant(names.room, names.identity), rt.clock.now())
}

async function createRoom(rt: Needs, livekit: LivekitSettings, room: string): Promise<void> {
  try {
    await createLivekitRoom(rt, livekit, room)
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    rt.log.warn({ err: cause }, 'the SFU did not create a room')
    throw new MatrixError('M_UNKNOWN', 'the SFU cannot be reached', { cause, status: 502 })
  }
}

/** Returns the names of a user's place in a call at the SFU. */
export function livekitNames(user: UserId, { roomId, slotId, memberId, deviceId }: CallPlace) {
  return { room: livekitRoomOf(roomId, slotId), identity: livekitIdentityOf(user, deviceId, memberId) }
}

/** A request for a token by a local user; `server` is the one whose SFU it is. */
export interface CallTokenRequest extends CallPlace {
  readonly url: string
  readonly server: ServerName | undefined
}

/**
 * Returns a token of the SFU with a URL, which may be another server's: that server is then asked for it.
 *
 * @throws `M_FORBIDDEN` where the user is not joined to the room, `M_INVALID_PARAM` where the server has no SFU with this URL
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4195
 */
export async function callToken(
  rt: Needs,
  { userId }: Pick<Requester, 'userId'>,
  request: CallTokenRequest,
): Promise<string> {
  const { server = rt.serverName, url, roomId, slotId, memberId, deviceId } = request
  if (server === rt.serverName) return ownCallToken(rt, userId, request)
  await requireJoinedToCall(rt, roomId, userId)
  const body: JsonObject = {
    user_id: userId,
    url,
    room_id: roomId,
    slot_id: slotId,
    member_id: memberId,
    member: { id: memberId, claimed_device_id: deviceId },
  }
  try {
    const target = federationPath(['federation', 'unstable', 'io.element.msc4195', 'rtc', 'livekit', 'get_token'])
    const answer = await rt.remote.call(server, { method: 'POST', target, body, timeoutMs: 20_000 })
    const jwt = stringMember(answer, 'jwt')
    if (jwt !== undefined) return jwt
    throw new MatrixError('M_UNKNOWN', `${server} sent no token`, { status: 502 })
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    throw relayed(server, cause)
  }
}

/** Returns a token of this server's SFU for a user of this or another server; throws like {@link callToken}. */
export async function ownCallToken(
  rt: Needs,
  user: UserId,
  request: CallPlace & { readonly url: string },
): Promise<string> {
  requireOwnSfu(rt, request.url)
  return tokenFor(rt, user, request.roomId, livekitNames(user, request))
}

/** Throws `M_INVALID_PARAM` unless a URL is that of this server's SFU. */
export function requireOwnSfu(rt: Pick<Runtime, 'config'>, url: string): void {
  if (url.replace(/\/$/, '') !== ownSfu(rt).url.replace(/\/$/, ''))
    throw new MatrixError('M_INVALID_PARAM', '`url` is not an SFU of this server')
}

function relayed(server: ServerName, cause: RemoteError): MatrixError {
  const { errcode } = cause
  if (errcode === 'M_FORBIDDEN' || errcode === 'M_INVALID_PARAM')
    return new MatrixError(errcode, `${server} refused the token`, { cause })
  if (errcode === 'M_UNRECOGNIZED' || errcode === 'M_NOT_FOUND')
    return new MatrixError('M_NOT_FOUND', `${server} issues no tokens`, { cause })
  return new MatrixError('M_UNKNOWN', `${server} cannot be reached`, { cause, status: 502 })
}
