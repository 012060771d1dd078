// SPDX-License-Identifier: Apache-2.0
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'

/** A client that follows `/sync` and records when certain events are delivered to it. */
export class Watcher {
  readonly ready: Promise<void>
  readonly #client: MatrixClient
  readonly #wanted = new Set<string>()
  readonly #seen = new Set<string>()
  #isStopped = false
  #done: () => void = () => {}

  constructor(client: MatrixClient) {
    this.#client = client.again()
    this.ready = this.#start()
  }

  /** Resolves when all of these were in some answer. Ask before they can have come. */
  seen(ids: readonly string[]): Promise<void> {
    for (const id of ids) if (!this.#seen.has(id)) this.#wanted.add(id)
    if (this.#wanted.size === 0) return Promise.resolve()
    return new Promise((resolve) => (this.#done = resolve))
  }

  stop(): void {
    this.#isStopped = true
    this.#client.close()
  }

  async #start(): Promise<void> {
    const filter = encodeURIComponent('{"room":{"state":{"lazy_load_members":true},"timeline":{"limit":5}}}')
    const first = await this.#client.call<{ next_batch: string }>('GET', `/_matrix/client/v3/sync?filter=${filter}`)
    void this.#follow(filter, first.next_batch).catch(() => {})
  }

  async #follow(filter: string, from: string): Promise<void> {
    for (let since = from; !this.#isStopped; ) {
      const target = `/_matrix/client/v3/sync?filter=${filter}&timeout=30000&since=${since}`
      const { body } = await this.#client.send('GET', target)
      since = /"next_batch":"([^"]+)"/.exec(body)?.[1] ?? since
      for (const [, id = ''] of body.matchAll(/"event_id":"([^"]+)"/g)) {
        this.#seen.add(id)
        this.#wanted.delete(id)
      }
      if (this.#wanted.size === 0) this.#done()
    }
  }
}
