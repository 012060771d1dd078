// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@myelin/kit/clock'
import type { Log } from '@myelin/kit/log'
import { RateLimiter } from '@myelin/kit/rate-limit'
import type { RemoteError } from './remote-error.ts'

/** A request that failed; the path has no query. */
export interface FailedRequest {
  readonly server: string
  readonly method?: string
  readonly path?: string
}

const PER_SERVER = { burstCount: 5, perSecond: 1 / 30 }
const IN_ALL = { burstCount: 100, perSecond: 1 }
const MAX_SERVERS = 10_000
/** The longest reason: other servers choose their error texts. */
const MAX_REASON_LENGTH = 300

/**
 * Logs failing requests to other servers, each once, at `info`.
 *
 * A server logs at most 5 lines at once and then 2 a minute, all servers together 100 lines at once and then 60 a minute.
 * Further failures, and answers with status 404, are logged at `debug`. `suppressed` is the number of failures that were
 * only logged at `debug` for their rate since the last line.
 */
export class FailureLog {
  readonly #log: Log
  readonly #perServer: RateLimiter
  readonly #inAll: RateLimiter
  readonly #logged = new WeakSet<RemoteError>()
  #suppressed = 0

  constructor(log: Log, clock: Pick<Clock, 'now'>) {
    this.#log = log
    this.#perServer = new RateLimiter(clock, PER_SERVER, MAX_SERVERS)
    this.#inAll = new RateLimiter(clock, IN_ALL, 1)
  }

  /** Logs a failure, unless the same error was logged before. */
  report(request: FailedRequest, cause: RemoteError): void {
    if (this.#logged.has(cause)) return
    this.#logged.add(cause)
    const { fault, status, errcode, message } = cause
    const fields = {
      ...request,
      fault,
      ...(status === undefined ? {} : { status }),
      ...(errcode === undefined ? {} : { errcode: errcode.slice(0, MAX_REASON_LENGTH) }),
      reason: message.slice(0, MAX_REASON_LENGTH),
    }
    if (status === 404) return this.#log.debug(fields, 'another server has no such resource')
    if (this.#perServer.take(request.server) > 0 || this.#inAll.take('') > 0) {
      this.#suppressed++
      return this.#log.debug(fields, MESSAGE)
    }
    const suppressed = this.#suppressed
    this.#suppressed = 0
    this.#log.info(suppressed > 0 ? { ...fields, suppressed } : fields, MESSAGE)
  }
}

const MESSAGE = 'a request to another server failed'
