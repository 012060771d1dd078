// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import type { CallPlace } from '@myelin/services/rtc/call-token'
import { Type } from 'typebox'
import { OptionalText, RoomIdSchema } from '../../schemas.ts'

/** A name of at most 255 characters. */
const Name = Type.String({ minLength: 1, maxLength: 255 })

/** The members that say which place in which call; one of `member` and `member_id` names the member. */
export const PLACE_MEMBERS = {
  room_id: RoomIdSchema,
  slot_id: Name,
  member_id: Type.Optional(Name),
  member: Type.Optional(Type.Object({ id: Name, claimed_device_id: OptionalText })),
}

/** A token of a call. */
export const TokenReply = Type.Object({ jwt: Type.String() })

/** A member of a call as its client describes it. */
const ClaimedMemberSchema = Type.Object({ id: Name, claimed_user_id: Name, claimed_device_id: Name })

/** An OpenID token in a body. */
export const OpenIdTokenSchema = Type.Object({ access_token: Name, matrix_server_name: Name })

/** The members that say which member of which call asks, and prove it by an OpenID token. */
export const MEMBER_REQUEST = {
  room_id: RoomIdSchema,
  slot_id: Name,
  openid_token: OpenIdTokenSchema,
  member: ClaimedMemberSchema,
}

/** The members by which a client hands a delayed event over; the others are ignored. */
export const DELEGATION_MEMBERS = { delay_id: OptionalText, delay_timeout: Type.Optional(Type.Integer()) }

/** The URL of the SFU and a token for it. */
export const SfuReply = Type.Object({ url: Type.String(), jwt: Type.String() })

/** Returns the place that a body names; `deviceId` stands in for a device that it does not. Throws `M_BAD_JSON` without member. */
export function placeOf(
  body: {
    readonly room_id: RoomId
    readonly slot_id: string
    readonly member_id?: string
    readonly member?: { readonly id: string; readonly claimed_device_id?: string }
  },
  deviceId: string,
): CallPlace {
  const memberId = body.member?.id ?? body.member_id
  if (memberId === undefined) throw new MatrixError('M_BAD_JSON', '`member.id` is missing')
  return {
    roomId: body.room_id,
    slotId: body.slot_id,
    memberId,
    deviceId: body.member?.claimed_device_id ?? deviceId,
  }
}

/** Returns the delayed event that a body hands over. */
export function delegationOf({ delay_id: delayId = '' }: { readonly delay_id?: string }) {
  return delayId === '' ? undefined : { delayId }
}
