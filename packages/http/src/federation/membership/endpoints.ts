// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { exchangeThirdPartyInvite } from './exchange-third-party-invite.ts'
import { makeJoin } from './make-join.ts'
import { makeKnock } from './make-knock.ts'
import { makeLeave } from './make-leave.ts'
import { onBindThirdPartyIdentifier } from './on-bind-third-party-identifier.ts'
import { sendInviteV1 } from './send-invite-v1.ts'
import { sendInviteV2 } from './send-invite-v2.ts'
import { sendJoinV1 } from './send-join-v1.ts'
import { sendJoinV2 } from './send-join-v2.ts'
import { sendKnock } from './send-knock.ts'
import { sendLeaveV1 } from './send-leave-v1.ts'
import { sendLeaveV2 } from './send-leave-v2.ts'

/** The handshakes by which users of other servers enter and leave rooms. */
export const federationMembershipEndpoints: readonly AnyEndpoint[] = [
  exchangeThirdPartyInvite,
  makeJoin,
  makeKnock,
  makeLeave,
  ...onBindThirdPartyIdentifier,
  sendInviteV1,
  sendInviteV2,
  sendJoinV1,
  sendJoinV2,
  sendKnock,
  sendLeaveV1,
  sendLeaveV2,
]
