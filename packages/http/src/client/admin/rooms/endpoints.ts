// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../../endpoint.ts'
import { synapseGetRoomMembers } from './synapse-get-room-members.ts'
import { synapseGetRoomState } from './synapse-get-room-state.ts'
import { synapseJoinRoom } from './synapse-join-room.ts'

/** Operations of server admins on rooms, after Synapse's admin API. */
export const roomAdminEndpoints: readonly AnyEndpoint[] = [synapseGetRoomMembers, synapseGetRoomState, synapseJoinRoom]
