// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Runtime } from '../../runtime/runtime.ts'

/** The part of the runtime that receiving EDUs takes. */
export type EduReceiver = Pick<Runtime, 'db' | 'log' | 'clock' | 'config' | 'typing' | 'serverName' | 'bus'>

/** Handles one type of EDU from a server; content about users or rooms of other servers is ignored. */
export type ReceiveEdu = (rt: EduReceiver, origin: ServerName, content: JsonObject) => Promise<void>
