// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { ban } from './ban.ts'
import { forgetRoom } from './forget-room.ts'
import { getJoinedMembersByRoom } from './get-joined-members-by-room.ts'
import { getMembersByRoom } from './get-members-by-room.ts'
import { inviteUser } from './invite-user.ts'
import { joinRoomById } from './join-room-by-id.ts'
import { joinRoom } from './join-room.ts'
import { kick } from './kick.ts'
import { knockRoom } from './knock-room.ts'
import { leaveRoom } from './leave-room.ts'
import { unban } from './unban.ts'

/** Joining and leaving rooms, and their members. */
export const membershipEndpoints: readonly AnyEndpoint[] = [
  ban,
  forgetRoom,
  getJoinedMembersByRoom,
  getMembersByRoom,
  inviteUser,
  joinRoomById,
  joinRoom,
  kick,
  knockRoom,
  leaveRoom,
  unban,
]
