// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { sendInviteV1, sendInviteV2 } from './invite.ts'
import { makeJoin, sendJoinV1, sendJoinV2 } from './join.ts'
import { makeKnock, sendKnock } from './knock.ts'
import { exchangeThirdPartyInvite, onBindThirdPartyIdentifier } from './third-party-invite.ts'
import { makeLeave, sendLeaveV1, sendLeaveV2 } from './leave.ts'

/** The handshakes by which users of other servers come and go. */
export const federationMembershipEndpoints: readonly AnyEndpoint[] = [
  makeJoin,
  sendJoinV2,
  sendJoinV1,
  makeLeave,
  sendLeaveV2,
  sendLeaveV1,
  makeKnock,
  sendKnock,
  sendInviteV2,
  sendInviteV1,
  exchangeThirdPartyInvite,
  ...onBindThirdPartyIdentifier,
]
