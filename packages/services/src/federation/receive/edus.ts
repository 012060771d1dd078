// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { isObject, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Runtime } from '../../runtime.ts'

/** What taking in EDUs needs of the runtime. */
export type EduReceiver = Pick<Runtime, 'db' | 'log'>

/** Takes one kind of EDU from a server; what is not that server's to say is left out. */
export type ReceiveEdu = (rt: EduReceiver, origin: ServerName, content: JsonObject) => Promise<void>

/** Every kind of EDU we understand. */
const RECEIVERS: ReadonlyMap<string, ReceiveEdu> = new Map()

/** Takes EDUs in, each by itself; those we do not understand are left out. */
export async function receiveEdus(rt: EduReceiver, origin: ServerName, edus: readonly Json[]): Promise<void> {
  for (const edu of edus) {
    if (!isObject(edu)) continue
    const [type, content] = [stringMember(edu, 'edu_type'), objectMember(edu, 'content')]
    const receive = type === undefined ? undefined : RECEIVERS.get(type)
    if (receive && content) await receive(rt, origin, content)
  }
}
