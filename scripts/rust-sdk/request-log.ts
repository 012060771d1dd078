// SPDX-License-Identifier: Apache-2.0
import { Agent, createServer, request } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/** One request of a client and its response. */
export interface LoggedRequest {
  readonly method: string
  /** The path without its query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly token: string
  readonly body: Readonly<Record<string, unknown>>
  /** The status; 0 where the server broke the connection off. */
  readonly status: number
  readonly answer: Readonly<Record<string, unknown>>
}

/** A proxy before a server that keeps each request with its response. */
export class RequestLog {
  readonly requests: LoggedRequest[] = []
  readonly #listener: Server
  readonly #agent = new Agent({ keepAlive: true })

  private constructor(to: number) {
    this.#listener = createServer((incoming, outgoing) => void this.#pass(to, incoming, outgoing))
    // A long poll takes 30 seconds.
    this.#listener.requestTimeout = 0
  }

  /** Opens one between two ports of loopback. */
  static async open(port: number, to: number): Promise<RequestLog> {
    const log = new RequestLog(to)
    await new Promise<void>((resolve) => log.#listener.listen(port, '127.0.0.1', resolve))
    return log
  }

  /** Takes it down. */
  close(): void {
    this.#listener.closeAllConnections()
    this.#listener.close()
    this.#agent.destroy()
  }

  async #pass(to: number, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming
    // The log reads the responses, so they come uncompressed.
    const { 'accept-encoding': _, ...headers } = incoming.headers
    const body = await bytesOf(incoming)
    const at = new URL(url, 'http://localhost')
    const keep = (status: number, answer: Buffer) =>
      this.requests.push({
        method,
        path: at.pathname,
        query: at.searchParams,
        token: headers.authorization ?? '',
        body: objectOf(body),
        status,
        answer: objectOf(answer),
      })
    const onward = request({ port: to, host: '127.0.0.1', method, path: url, headers, agent: this.#agent })
    const breakOff = () => {
      keep(0, Buffer.alloc(0))
      outgoing.destroy()
    }
    onward.on('error', breakOff)
    outgoing.on('close', () => onward.destroy())
    onward.on('response', (response) => {
      void bytesOf(response).then((answer) => {
        if (!response.complete) return breakOff()
        keep(response.statusCode ?? 0, answer)
        outgoing.writeHead(response.statusCode ?? 0, response.rawHeaders).end(answer)
      }, breakOff)
    })
    onward.end(body)
  }
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** Returns the JSON object that bytes hold; an empty one where they hold none. */
function objectOf(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
