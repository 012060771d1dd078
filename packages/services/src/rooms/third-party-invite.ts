// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import { profileOf } from '@myelin/storage/accounts/profiles'
import { openRoom, roomById } from '@myelin/storage/rooms/rooms'
import { lookUpUser, storeInvite } from '../peers/identity-server.ts'
import type { IdentityServer, StoredInvite, ThirdPartyId } from '../peers/identity-server.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { shownContents } from '../room-state/shown-state.ts'
import { roomVersionOf } from '../room-state/versions.ts'
import { refuseInvites } from '../standing/may-invite.ts'
import { refuseSuspended } from '../standing/suspension.ts'
import { nextEvent } from './append/extend-room.ts'
import { writeEvents } from './append/write-events.ts'
import { notInRoomText } from './drafts/refusal.ts'
import { inviteUser } from './membership.ts'
import { isNeed } from './resolution/unit-needs.ts'
import { sendEvent } from './send-event.ts'

type Needs = Parameters<typeof inviteUser>[0] & Parameters<typeof sendEvent>[0]

/** An invite of an address, to be looked up by an identity server. */
export interface AddressInvite {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly server: IdentityServer
  readonly id: ThirdPartyId
}

const MEDIA: ReadonlySet<string> = new Set(['email', 'msisdn'])
const MAX_ADDRESS = 500

/**
 * Invites the user of an e-mail address or a phone number. Where the identity server knows none, it keeps the invite, and the room
 * gets `m.room.third_party_invite`: the invite follows when the address is bound to a user.
 *
 * @throws MatrixError `M_INVALID_PARAM` for a malformed address, `M_FORBIDDEN` for a sender who may not invite, `M_UNKNOWN` (502)
 *   where the identity server fails
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite-1
 */
export async function inviteAddress(rt: Needs, invite: AddressInvite): Promise<void> {
  const { roomId, sender, server } = invite
  const id = checkedId(invite.id)
  if (!rt.config.rooms.allowsThirdPartyInvites)
    throw new MatrixError('M_FORBIDDEN', 'inviting by address is disabled on this server')
  await refuseSuspended(rt, sender)
  await refuseInvites(rt, sender)
  rt.limits.take('thirdPartyInvites', sender)
  // Nothing about the address leaves the server for a user who may not invite.
  await requireInviter(rt, roomId, sender)
  try {
    const known = await lookUpUser(rt, server, id)
    if (known !== undefined) return await inviteUser(rt, { roomId, sender, target: known })
    const stored = await storeInvite(rt, server, id, await describe(rt, roomId, sender))
    const draft = { roomId, sender, type: 'm.room.third_party_invite', stateKey: stored.token }
    await sendEvent(rt, { ...draft, content: contentOf(stored) })
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    throw failureOf(cause)
  }
}

/** Invites an address to a new room like {@link inviteAddress}. A refusal is logged only: the creator can invite again. */
export async function inviteToNew(rt: Needs & Pick<Runtime, 'log'>, invite: AddressInvite): Promise<void> {
  try {
    await inviteAddress(rt, invite)
  } catch (cause) {
    if (!(cause instanceof MatrixError)) throw cause
    rt.log.info({ err: cause, roomId: invite.roomId }, 'an address could not be invited to a new room')
  }
}

/** Returns an address in its canonical form: an e-mail address in lower case. */
export function checkedId({ medium, address }: ThirdPartyId): ThirdPartyId {
  if (!MEDIA.has(medium)) throw new MatrixError('M_INVALID_PARAM', '`medium` must be email or msisdn')
  const isAddress = medium === 'email' ? /^[^\s@]+@[^\s@]+$/.test(address) : /^\d{1,32}$/.test(address)
  if (!isAddress || address.length > MAX_ADDRESS)
    throw new MatrixError('M_INVALID_PARAM', `\`address\` is not valid for the medium ${medium}`)
  return { medium, address: medium === 'email' ? address.toLowerCase() : address }
}

/** Throws what sending a third-party invite would throw. */
async function requireInviter(rt: Needs, roomId: RoomId, sender: UserId): Promise<void> {
  await writeEvents(rt, async (tx, maker) => {
    const room = await openRoom(tx, roomId)
    if (!room) throw new MatrixError('M_FORBIDDEN', notInRoomText(sender))
    const draft = { roomId, sender, type: 'm.room.third_party_invite', stateKey: 'token', content: {} }
    const next = await nextEvent(tx, maker, room, draft)
    return isNeed(next) ? next : true
  })
}

const SHOWN = ['m.room.create', 'm.room.name', 'm.room.avatar', 'm.room.canonical_alias', 'm.room.join_rules'] as const

/** Returns what the message to the address names: the room and its sender. */
async function describe(rt: Needs, roomId: RoomId, sender: UserId): Promise<JsonObject> {
  const db = rt.db.read
  const room = await roomById(db, roomId)
  const [stateRoot, version] = [room?.stateRoot ?? 0, roomVersionOf(room?.roomVersion ?? '')]
  const state = await shownContents(db, { stateRoot, version }, SHOWN)
  const said = (type: (typeof SHOWN)[number], key: string) => stringMember(state.get(type) ?? {}, key)
  const profile = await profileOf(db, sender)
  const members = {
    room_id: roomId,
    sender,
    room_alias: said('m.room.canonical_alias', 'alias'),
    room_avatar_url: said('m.room.avatar', 'url'),
    room_join_rules: said('m.room.join_rules', 'join_rule'),
    room_name: said('m.room.name', 'name'),
    room_type: said('m.room.create', 'type'),
    sender_display_name: stringMember(profile, 'displayname'),
    sender_avatar_url: stringMember(profile, 'avatar_url'),
  }
  return Object.fromEntries(Object.entries(members).flatMap(([name, value]) => (value ? [[name, value]] : [])))
}

function contentOf({ displayName, keys }: StoredInvite): JsonObject {
  const form = ({ publicKey, validityUrl }: StoredInvite['keys'][number]) => ({
    public_key: publicKey,
    ...(validityUrl === undefined ? {} : { key_validity_url: validityUrl }),
  })
  const [first] = keys
  return { display_name: displayName, ...(first ? form(first) : {}), public_keys: keys.map(form) }
}

/** Returns the error for a failing identity server, never with a code that would make a client log out. */
function failureOf(cause: RemoteError): MatrixError {
  if (cause.status === 403 && cause.errcode === 'M_TERMS_NOT_SIGNED')
    return new MatrixError('M_FORBIDDEN', 'the terms of the identity server are not accepted', { cause })
  const text =
    cause.status === 401 || cause.status === 403
      ? 'the identity server refuses the access token'
      : 'the identity server cannot be used'
  return new MatrixError('M_UNKNOWN', text, { status: 502, cause })
}
