// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream'
import { MatrixError } from '@myelin/matrix/errors'
import { CORS_HEADERS } from '../cors-headers.ts'

type Status = readonly [code: number, phrase: string]

/** The status of errors of Node's HTTP parser, by their code. */
const STATUSES: ReadonlyMap<string | undefined, Status> = new Map<string, Status>([
  ['HPE_HEADER_OVERFLOW', [431, 'Request Header Fields Too Large']],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', [413, 'Content Too Large']],
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'Request Timeout']],
])
const OTHERWISE: Status = [400, 'Bad Request']

/** Answers a request that Node's HTTP parser refused with a Matrix error, and closes the connection. */
export function refuseMalformed(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (socket.writable) socket.write(malformedReply(STATUSES.get(error.code) ?? OTHERWISE))
  socket.destroy(error)
}

/** Returns the error of a request that is not valid HTTP. */
export function malformedRequest(status: number): MatrixError {
  return new MatrixError('M_UNKNOWN', 'the request is not valid HTTP', { status })
}

function malformedReply([status, phrase]: Status): string {
  const body = JSON.stringify(malformedRequest(status).toBody())
  const headers = {
    ...CORS_HEADERS,
    'content-type': 'application/json',
    'content-length': body.length,
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${phrase}\r\n${lines.join('')}\r\n${body}`
}
