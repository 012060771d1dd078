// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** An HTTP answer, read whole. */
export interface Answer {
  readonly status: number
  readonly body: string
}

/** Carries the requests of a client. */
export interface Connection {
  /** Sends a request and returns the whole answer; rejects where the connection breaks. */
  request(method: string, path: string, token?: string, body?: string): Promise<Answer>
  close(): void
}

/**
 * One keep-alive HTTP/1.1 connection with one request in flight, without TLS. It is minimal, because it shares two
 * cores with the server that it measures.
 */
export class HttpConnection implements Connection {
  readonly #url: URL
  #socket: Socket | undefined
  #received: Buffer[] = []
  #size = 0
  #settle: { resolve: (answer: Answer) => void; reject: (cause: unknown) => void } | undefined

  constructor(url: string) {
    this.#url = new URL(url)
  }

  /** Sends a request and reads the whole answer; rejects when the connection breaks. */
  request(method: string, path: string, token?: string, body?: string): Promise<Answer> {
    if (this.#settle) throw new Error('one request at a time')
    const payload = body === undefined ? undefined : Buffer.from(body)
    let head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#url.host}\r\n`
    // Another server comes with a whole header instead of a token.
    if (token !== undefined) head += `authorization: ${token.startsWith('X-Matrix ') ? token : `Bearer ${token}`}\r\n`
    if (payload) head += `content-type: application/json\r\ncontent-length: ${payload.length}\r\n`
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      const socket = this.#open()
      socket.write(payload ? Buffer.concat([Buffer.from(`${head}\r\n`), payload]) : `${head}\r\n`)
    })
  }

  /** Closes the connection; a request in flight rejects. */
  close(): void {
    this.#socket?.destroy()
  }

  #open(): Socket {
    if (this.#socket) return this.#socket
    const socket = connect(Number(this.#url.port || 80), this.#url.hostname)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    const broken = (cause?: Error) => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      this.#received = []
      this.#size = 0
      const settle = this.#settle
      this.#settle = undefined
      settle?.reject(cause ?? new Error('the connection was closed'))
    }
    socket.on('error', broken)
    socket.on('close', () => broken())
    this.#socket = socket
    return socket
  }

  #read(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#size += chunk.length
    const all = this.#received.length === 1 ? chunk : Buffer.concat(this.#received, this.#size)
    this.#received = [all]
    const end = all.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = all.toString('latin1', 0, end)
    const status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    const body = length === undefined ? chunkedBody(head, all, end + 4) : sizedBody(all, end + 4, Number(length))
    if (body === undefined) return
    this.#received = []
    this.#size = 0
    if (/\r\nconnection: *close/i.test(head)) this.close()
    const settle = this.#settle
    this.#settle = undefined
    settle?.resolve({ status, body })
  }
}

function sizedBody(all: Buffer, start: number, length: number): string | undefined {
  return all.length < start + length ? undefined : all.toString('utf8', start, start + length)
}

function chunkedBody(head: string, all: Buffer, start: number): string | undefined {
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return ''
  const parts: Buffer[] = []
  for (let at = start; ; ) {
    const line = all.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(all.toString('latin1', at, line), 16)
    if (all.length < line + 2 + size + 2) return undefined
    if (size === 0) return Buffer.concat(parts).toString('utf8')
    parts.push(all.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
