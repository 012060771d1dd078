// SPDX-License-Identifier: Apache-2.0
import { parentPort, Worker } from 'node:worker_threads'

/** A request of a bench, as it goes to the thread. */
export interface BenchRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** The status and the length of an answer in bytes. */
export interface BenchAnswer {
  readonly status: number
  readonly bytes: number
}

/** A client on a thread of its own: receiving an answer takes none of the server's turns. */
export class ClientThread {
  readonly #worker = new Worker(new URL(import.meta.url))

  /** Sends a request and reads its answer to the end; one at a time. */
  send(request: BenchRequest): Promise<BenchAnswer> {
    return new Promise((resolve, reject) => {
      this.#worker.once('message', (answer: BenchAnswer | { readonly failed: string }) => {
        if ('failed' in answer) reject(new Error(answer.failed))
        else resolve(answer)
      })
      this.#worker.postMessage(request)
    })
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

parentPort?.on('message', ({ url, ...request }: BenchRequest) => {
  answerOf(url, request).then(
    (answer) => parentPort?.postMessage(answer),
    (cause: unknown) => parentPort?.postMessage({ failed: String(cause) }),
  )
})

async function answerOf(url: string, request: RequestInit): Promise<BenchAnswer> {
  const { status, body } = await fetch(url, request)
  let bytes = 0
  for await (const chunk of body ?? []) bytes += chunk.length
  return { status, bytes }
}
