// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Runtime } from '../../runtime/runtime.ts'

/** What taking in EDUs needs of the runtime. */
export type EduReceiver = Pick<Runtime, 'db' | 'log' | 'clock' | 'config' | 'typing' | 'serverName' | 'bus'>

/** Takes one kind of EDU from a server; what is not that server's to say is left out. */
export type ReceiveEdu = (rt: EduReceiver, origin: ServerName, content: JsonObject) => Promise<void>
