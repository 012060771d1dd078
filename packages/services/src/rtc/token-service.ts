// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Runtime } from '../runtime/runtime.ts'
import { ownerOfOpenIdToken } from './call-member.ts'
import type { OpenIdToken } from './call-member.ts'
import { livekitNames, ownSfu, tokenFor } from './call-token.ts'
import { handOver } from './delegate-leave.ts'
import { livekitRoomOf, ROOM_CALL_SLOT } from './livekit-names.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'config' | 'remote' | 'serverName' | 'log'>

/** A member of a call as its client describes it. */
export interface ClaimedMember {
  readonly id: string
  readonly claimed_user_id: string
  readonly claimed_device_id: string
}

/** The URL of the SFU and a token for it. */
export interface SfuAccess {
  readonly url: string
  readonly jwt: string
}

/** A delayed event that the client hands over with its request; undefined where it keeps it. */
type Delegation = { readonly delayId: string } | undefined

/**
 * Returns a token to a client that knows the user's OpenID token: what lk-jwt-service answers under `/get_token`.
 *
 * @throws `M_UNAUTHORIZED` where the token is not the claimed user's, `M_FORBIDDEN` where the user is not joined to the room
 */
export async function memberToken(
  rt: Needs,
  openIdToken: OpenIdToken,
  request: { readonly roomId: RoomId; readonly slotId: string; readonly member: ClaimedMember },
  delegation: Delegation,
): Promise<SfuAccess> {
  // Without an SFU no other server is asked about anybody.
  ownSfu(rt)
  const user = await claimedUser(rt, openIdToken, request.member.claimed_user_id)
  return access(rt, user, request.roomId, namesOf(user, request), delegation)
}

/** Returns a token for clients without slots and members, as lk-jwt-service answers under `/sfu/get`. */
export async function deviceToken(
  rt: Needs,
  openIdToken: OpenIdToken,
  { roomId, deviceId }: { readonly roomId: RoomId; readonly deviceId: string },
  delegation: Delegation,
): Promise<SfuAccess> {
  ownSfu(rt)
  const user = await ownerOfOpenIdToken(rt, openIdToken)
  const names = { room: livekitRoomOf(roomId, ROOM_CALL_SLOT), identity: `${user}:${deviceId}` }
  return access(rt, user, roomId, names, delegation)
}

/** Hands a delayed event over: what lk-jwt-service does under `/delegate_delayed_leave`. */
export async function delegateLeaveOfMember(
  rt: Needs,
  openIdToken: OpenIdToken,
  request: { readonly roomId: RoomId; readonly slotId: string; readonly member: ClaimedMember },
  delayId: string,
): Promise<void> {
  ownSfu(rt)
  const user = await claimedUser(rt, openIdToken, request.member.claimed_user_id)
  requireOwnUser(rt, user)
  await handOver(rt, user, { ...namesOf(user, request), delayId, minDelayMs: 0 })
}

async function claimedUser(rt: Needs, token: OpenIdToken, claimed: string): Promise<UserId> {
  const user = await ownerOfOpenIdToken(rt, token)
  if (user !== claimed) throw new MatrixError('M_UNAUTHORIZED', "the OpenID token is not the claimed user's")
  return user
}

function namesOf(
  user: UserId,
  { roomId, slotId, member }: { readonly roomId: RoomId; readonly slotId: string; readonly member: ClaimedMember },
) {
  return livekitNames(user, { roomId, slotId, memberId: member.id, deviceId: member.claimed_device_id })
}

async function access(
  rt: Needs,
  user: UserId,
  roomId: RoomId,
  names: { readonly room: string; readonly identity: string },
  delegation: Delegation,
): Promise<SfuAccess> {
  if (delegation) requireOwnUser(rt, user)
  const jwt = await tokenFor(rt, user, roomId, names)
  if (delegation) await handOver(rt, user, { ...names, ...delegation, minDelayMs: 0 })
  return { url: ownSfu(rt).url, jwt }
}

/** Throws `M_FORBIDDEN` for a user of another server, whose delayed events are not here. */
function requireOwnUser({ serverName }: Needs, user: UserId): void {
  if (serverOf(user) !== serverName)
    throw new MatrixError('M_FORBIDDEN', 'delayed events of other servers cannot be delegated')
}
