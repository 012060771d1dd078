// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { makeJoin, sendJoinV2 } from './join.ts'
import { makeLeave, sendLeaveV2 } from './leave.ts'

/** The handshakes by which users of other servers come and go. */
export const federationMembershipEndpoints: readonly AnyEndpoint[] = [makeJoin, sendJoinV2, makeLeave, sendLeaveV2]
