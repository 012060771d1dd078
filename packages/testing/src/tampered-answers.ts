// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Federation, FederationCall } from '@myelin/remote/federation'
import { readInParts } from '@myelin/remote/read-in-parts'

/** Returns the answer that replaces `honest`, the answer of the other server. */
export type Tampering = (
  server: ServerName,
  call: FederationCall,
  honest: () => Promise<JsonObject>,
) => Promise<JsonObject>

/** Puts other answers in the place of those that servers give, read at once or in parts. */
export function tamperAnswers(remote: Federation, tampering: Tampering): void {
  const call = remote.call.bind(remote)
  const callInParts = remote.callInParts.bind(remote)
  remote.call = (server, request) => tampering(server, request, () => call(server, request))
  remote.callInParts = async (server, request, lists) => {
    const honest = async () => {
      const elements = new Map<string, Json[]>()
      const take = async (list: string, texts: readonly string[]) => {
        elements.set(list, [...(elements.get(list) ?? []), ...texts.map((text) => JSON.parse(text) as Json)])
      }
      const rest = await callInParts(server, request, { names: lists.names, take })
      return { ...rest, ...Object.fromEntries(elements) }
    }
    const bytes = Buffer.from(JSON.stringify(await tampering(server, request, honest)))
    return readInParts({ status: 200, headers: {}, body: inChunks(bytes) }, bytes.length, lists)
  }
}

const CHUNK = 1000

async function* inChunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += CHUNK) yield bytes.subarray(start, start + CHUNK)
}
