// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import type { MatrixClient } from '../clients/matrix-client.ts'
import type { Answer } from '../clients/http-connection.ts'

const AGAIN_MS = 25
/** Longer than many kills in a row take on a slow machine. */
const PATIENCE_MS = 600_000

/**
 * Repeats a request until the server answers, through any number of crashes. `attempt` runs before each try that may
 * reach the server, and returns whether to continue.
 */
export async function sendUntilAnswered(
  client: Pick<MatrixClient, 'send'>,
  [method, path, body]: readonly [string, string, string?],
  attempt: () => boolean = () => true,
): Promise<Answer | undefined> {
  let wasRefused = false
  let last = 'no answer'
  for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; ) {
    if (!wasRefused && !attempt()) return undefined
    wasRefused = false
    try {
      const answer = await client.send(method, path, body)
      if (answer.status < 500) return answer
      last = `${answer.status} ${answer.body.slice(0, 200)}`
    } catch (cause) {
      // The connection was refused, or broke before the answer arrived.
      wasRefused = (cause as { code?: string }).code === 'ECONNREFUSED'
      if (!wasRefused) last = String(cause)
    }
    await delay(AGAIN_MS)
  }
  throw new Error(`${method} ${path} was not answered for ${PATIENCE_MS} ms; last: ${last}`)
}

/** Reads something that must be there, through any number of crashes. */
export async function readUntilAnswered<T>(client: MatrixClient, path: string): Promise<T> {
  const answer = await sendUntilAnswered(client, ['GET', path])
  if (answer?.status !== 200) throw new Error(`GET ${path}: ${answer?.status} ${answer?.body.slice(0, 300)}`)
  return JSON.parse(answer.body) as T
}
