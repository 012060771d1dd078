// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { delegateDelayedLeave } from './delegate-delayed-leave.ts'
import { delegateMemberLeave } from './delegate-member-leave.ts'
import { getLivekitToken } from './get-livekit-token.ts'
import { getMemberToken } from './get-member-token.ts'
import { getRtcTransports } from './get-rtc-transports.ts'
import { getSfuAccess } from './get-sfu-access.ts'

/** MatrixRTC: transports, and tokens for calls. */
export const rtcEndpoints: readonly AnyEndpoint[] = [
  delegateDelayedLeave,
  delegateMemberLeave,
  getLivekitToken,
  getMemberToken,
  getRtcTransports,
  getSfuAccess,
]
