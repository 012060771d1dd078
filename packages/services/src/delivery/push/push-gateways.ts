// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import { Semaphore } from '@myelin/kit/semaphore'
import { isObject, member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { IncomingReply } from '@myelin/remote/transport'
import type { Runtime } from '../../runtime/runtime.ts'

/** A push gateway that did not take a push. */
export class PushFailure extends Error {
  override readonly name = 'PushFailure'
  /** The delay before the next try that the gateway requested, in ms; undefined without one. */
  readonly retryMs: number | undefined

  constructor(message: string, options: { readonly retryMs?: number | undefined; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.retryMs = options.retryMs
  }
}

const TIMEOUT_MS = 20_000
const MAX_ANSWER_BYTES = 64 * 1024
/** The most concurrent requests to one gateway. */
const MAX_AT_ONCE = 32
const MAX_GATEWAYS = 5_000

/**
 * Sends notifications to push gateways, a bounded number at a time to each, so that a gateway that hangs delays no other.
 *
 * @see https://spec.matrix.org/v1.19/push-gateway-api/
 */
export class PushGateways {
  readonly #rt: Pick<Runtime, 'remote' | 'clock'>
  readonly #places = new Cache<string, Semaphore>(MAX_GATEWAYS)

  constructor(rt: Pick<Runtime, 'remote' | 'clock'>) {
    this.#rt = rt
  }

  /**
   * Sends a notification; returns the pushkeys that the gateway rejected.
   *
   * @throws {PushFailure} where the gateway did not take it
   */
  async notify(url: URL, notification: JsonObject, signal: AbortSignal): Promise<readonly string[]> {
    let places = this.#places.get(url.origin)
    if (!places) this.#places.set(url.origin, (places = new Semaphore(MAX_AT_ONCE)))
    return places.run(() => this.#send(url, notification, signal), { signal })
  }

  async #send(url: URL, notification: JsonObject, signal: AbortSignal): Promise<readonly string[]> {
    try {
      const reply = await this.#rt.remote.callWeb(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ notification }),
        timeoutMs: TIMEOUT_MS,
        signal,
      })
      const text = await textOf(reply)
      if (reply.status >= 200 && reply.status < 300) return rejectedIn(text)
      throw new PushFailure(`${url.host} answered ${reply.status}`, { retryMs: this.#retryMs(reply) })
    } catch (cause) {
      if (cause instanceof RemoteError) throw new PushFailure(cause.message, { cause })
      throw cause
    }
  }

  #retryMs({ headers }: IncomingReply): number | undefined {
    const after = headers['retry-after']
    if (after === undefined) return undefined
    if (/^\d{1,9}$/.test(after)) return Number(after) * 1000
    const until = Date.parse(after)
    return Number.isNaN(until) ? undefined : Math.max(0, until - this.#rt.clock.now())
  }
}

async function textOf({ body }: IncomingReply): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > MAX_ANSWER_BYTES) throw new PushFailure('the answer is too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Returns the pushkeys in an answer's `rejected`; none where the answer is not of that form: the push was taken. */
function rejectedIn(text: string): readonly string[] {
  try {
    const answer = parseJson(text)
    const rejected = isObject(answer) ? member(answer, 'rejected') : undefined
    return Array.isArray(rejected) ? rejected.filter((key): key is string => typeof key === 'string') : []
  } catch {
    return []
  }
}
