// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { RemoteError } from './remote-error.ts'

interface Pause {
  readonly until: number
  readonly lengthMs: number
}

/** The first pause after a server did not answer; it doubles with each further failure. */
const MIN_PAUSE_MS = 30_000
/**
 * The longest pause. It is short, because a server that is back signs its first requests with a key that may have to
 * be fetched.
 */
const MAX_PAUSE_MS = 300_000
/** The number of fetches of one server's keys that other servers can trigger at once by naming it. */
const BURST = 6
const REFILL_MS = 10_000
const REMEMBERED = 20_000
/** The most concurrent fetches: server names are free to make up, connections are not. */
const MAX_UNDER_WAY = 200

/**
 * Limits the fetches of server keys.
 *
 * Any server can trigger a fetch of another server's keys by naming it in a request. So each server is queried once at
 * a time, a few times in a row, and rarely while it does not answer. Only the most recent names are remembered.
 */
export class KeyFetches {
  readonly #underWay = new Map<ServerName, Promise<unknown>>()
  readonly #pauses = new Map<ServerName, Pause>()
  readonly #spent = new Map<ServerName, { readonly tokens: number; readonly at: number }>()

  /** Joins the fetch in progress, or starts one; rejects at once where the server is in a pause. */
  run<T>(server: ServerName, now: number, ask: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(server)
    // Every fetch of one server's keys has the same type of answer.
    if (underWay) return underWay as Promise<T>
    if (this.#underWay.size >= MAX_UNDER_WAY || !this.mayAsk(server, now)) {
      return Promise.reject(new RemoteError('unreachable', `the keys of ${server} were requested too often`))
    }
    const asked = ask().then(
      (answer) => {
        this.#pauses.delete(server)
        return answer
      },
      (error: unknown) => {
        this.#pause(server, now)
        throw error
      },
    )
    const settled = asked.finally(() => this.#underWay.delete(server))
    this.#underWay.set(server, settled)
    return settled
  }

  /** Returns whether a server may be queried, and counts the query if so. */
  mayAsk(server: ServerName, now: number): boolean {
    if ((this.#pauses.get(server)?.until ?? 0) > now) return false
    const { tokens, at } = this.#spent.get(server) ?? { tokens: BURST, at: now }
    const left = Math.min(BURST, tokens + Math.max(0, now - at) / REFILL_MS)
    if (left < 1) return false
    keep(this.#spent, server, { tokens: left - 1, at: now })
    return true
  }

  #pause(server: ServerName, now: number): void {
    const last = this.#pauses.get(server)?.lengthMs ?? MIN_PAUSE_MS / 2
    const lengthMs = Math.min(MAX_PAUSE_MS, last * 2)
    keep(this.#pauses, server, { until: now + lengthMs, lengthMs })
  }
}

function keep<Value>(map: Map<ServerName, Value>, server: ServerName, value: Value): void {
  map.delete(server)
  map.set(server, value)
  if (map.size <= REMEMBERED) return
  for (const oldest of map.keys()) return void map.delete(oldest)
}
