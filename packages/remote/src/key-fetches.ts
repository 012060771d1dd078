// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { RemoteError } from './remote-error.ts'

interface Pause {
  readonly until: number
  readonly lengthMs: number
}

/** The first pause after a server did not answer; each further one is twice as long. */
const SHORTEST_PAUSE_MS = 30_000
/** Not long: a server that is back signs its first requests with a key we may have to ask for. */
const LONGEST_PAUSE_MS = 300_000
/** Whoever says another server's name can make us ask it this often, and no more. */
const BURST = 6
const REFILL_MS = 10_000
const REMEMBERED = 20_000
/** Names are free to make up, connections are not: above this many questions at once, the next ones are not asked. */
const MAX_UNDER_WAY = 200

/**
 * Who is being asked for keys, and who is left alone for a while.
 *
 * Anybody can make us ask any server for keys, by naming it in a request. So a server is asked once at a time, a few
 * times in a row, and seldom while it does not answer. Only the names heard last are remembered.
 */
export class KeyFetches {
  readonly #underWay = new Map<ServerName, Promise<unknown>>()
  readonly #pauses = new Map<ServerName, Pause>()
  readonly #spent = new Map<ServerName, { readonly tokens: number; readonly at: number }>()

  /** Joins the question that is under way, or asks; rejects at once where the server is to be left alone. */
  run<T>(server: ServerName, now: number, ask: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(server)
    // Every question for one server's keys has one kind of answer.
    if (underWay) return underWay as Promise<T>
    if (this.#underWay.size >= MAX_UNDER_WAY || !this.mayAsk(server, now)) {
      return Promise.reject(new RemoteError('unreachable', `${server} is not asked for its keys at the moment`))
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

  /** Whether a question about a server may be asked; counts it as asked if so. */
  mayAsk(server: ServerName, now: number): boolean {
    if ((this.#pauses.get(server)?.until ?? 0) > now) return false
    const { tokens, at } = this.#spent.get(server) ?? { tokens: BURST, at: now }
    const left = Math.min(BURST, tokens + Math.max(0, now - at) / REFILL_MS)
    if (left < 1) return false
    keep(this.#spent, server, { tokens: left - 1, at: now })
    return true
  }

  #pause(server: ServerName, now: number): void {
    const last = this.#pauses.get(server)?.lengthMs ?? SHORTEST_PAUSE_MS / 2
    const lengthMs = Math.min(LONGEST_PAUSE_MS, last * 2)
    keep(this.#pauses, server, { until: now + lengthMs, lengthMs })
  }
}

function keep<Value>(map: Map<ServerName, Value>, server: ServerName, value: Value): void {
  map.delete(server)
  map.set(server, value)
  if (map.size <= REMEMBERED) return
  for (const oldest of map.keys()) return void map.delete(oldest)
}
