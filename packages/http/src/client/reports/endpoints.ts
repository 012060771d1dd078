// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { reportEvent } from './report-event.ts'
import { reportRoom } from './report-room.ts'
import { reportUser } from './report-user.ts'

/** Reports to the server admins. */
export const reportEndpoints: readonly AnyEndpoint[] = [reportEvent, reportRoom, reportUser]
