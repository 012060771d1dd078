// SPDX-License-Identifier: Apache-2.0
import { pipeline, Transform } from 'node:stream'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { AnyEndpoint } from '../endpoint.ts'
import { AuthenticationNeededSchema, ErrorSchema } from '../reply-schemas.ts'
import { mismatchFinder } from '../validation.ts'

type Finder = ReturnType<typeof mismatchFinder>

const JSON_TYPE = 'application/json'
const finders = new WeakMap<object, Finder>()
const findInError = mismatchFinder(Type.Union([ErrorSchema, closed(AuthenticationNeededSchema)]))

/**
 * Checks the bytes of every reply against the schema of its endpoint. A reply that does not match becomes a 500, or is
 * truncated if its headers were sent; `report` is called with the reason.
 */
export function checkReplies(app: FastifyInstance, report: (message: string) => void): void {
  app.addHook('onSend', (request, reply, payload: unknown, done) => {
    const { endpoint } = request.routeOptions.config as { endpoint?: AnyEndpoint }
    const fail = (mismatch: string) => {
      const message = `reply of ${endpoint?.id ?? request.url} (${reply.statusCode}) does not match its schema: ${mismatch}`
      report(message)
      return new Error(message)
    }
    if (isStream(payload))
      return done(
        null,
        checkedStream(payload, (bytes) => mismatchOf(endpoint, reply, bytes), fail),
      )
    const mismatch = mismatchOf(endpoint, reply, Buffer.from((payload ?? '') as string | Uint8Array))
    if (mismatch === undefined) return done(null, payload)
    const { message } = fail(mismatch)
    void reply.code(500)
    done(null, JSON.stringify({ errcode: 'M_UNKNOWN', error: message }))
  })
}

function isStream(payload: unknown): payload is Readable {
  return typeof payload === 'object' && payload !== null && 'pipe' in payload
}

/** Returns the same stream, which fails at its end if its content does not match. */
function checkedStream(
  stream: Readable,
  find: (bytes: Buffer) => string | undefined,
  fail: (mismatch: string) => Error,
): Readable {
  const chunks: Buffer[] = []
  const passing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done(null, chunk)
    },
    flush(done) {
      const mismatch = find(Buffer.concat(chunks))
      done(mismatch === undefined ? null : fail(mismatch))
    },
  })
  return pipeline(stream, passing, () => {})
}

function mismatchOf(endpoint: AnyEndpoint | undefined, reply: FastifyReply, bytes: Buffer): string | undefined {
  const type = String(reply.getHeader('content-type') ?? '')
  const isError = reply.statusCode >= 400
  if (isError && (type.startsWith(JSON_TYPE) || endpoint?.replyType === undefined)) {
    // Some errors have no body of their own.
    return bytes.length === 0 ? undefined : mismatchOfJson(findInError, bytes)
  }
  if (!endpoint || bytes.length === 0) return undefined
  if (endpoint.replyType !== undefined) return mismatchOfBytes(endpoint.replyType, type, reply, bytes)
  if (!type.startsWith(JSON_TYPE)) return `its type is ${type}`
  const find = finders.get(endpoint) ?? mismatchFinder(closed(endpoint.reply))
  finders.set(endpoint, find)
  return mismatchOfJson(find, bytes)
}

function mismatchOfJson(find: Finder, bytes: Buffer): string | undefined {
  try {
    return find(JSON.parse(bytes.toString()))
  } catch (cause) {
    return `it is not JSON: ${String(cause)}`
  }
}

function mismatchOfBytes(declared: string, type: string, reply: FastifyReply, bytes: Buffer): string | undefined {
  if (type === '') return 'it has no type'
  if (!matches(declared, type)) return `its type is ${type} instead of ${declared}`
  const length = reply.getHeader('content-length')
  if (length !== undefined && Number(length) !== bytes.length)
    return `it has ${bytes.length} bytes instead of ${String(length)}`
  return declared.startsWith('multipart/') ? mismatchOfMultipart(type, bytes) : undefined
}

function matches(declared: string, type: string): boolean {
  const [mainType] = declared.split('/')
  return declared === '*/*' || (declared.endsWith('/*') ? type.startsWith(`${mainType}/`) : type.startsWith(declared))
}

/** Checks the format of media in federation: a JSON object, then a file. */
function mismatchOfMultipart(type: string, bytes: Buffer): string | undefined {
  const boundary = /boundary=(\S+)$/.exec(type)?.[1] ?? ''
  const parts = bytes.toString('latin1').split(`--${boundary}`)
  const isComplete = parts.length === 4 && parts[0] === '' && parts[3] === '--\r\n'
  const [, json, file] = parts
  if (!isComplete || json === undefined || file === undefined) return 'it does not have two parts'
  if (!json.endsWith('\r\n\r\n{}\r\n')) return 'its first part is not a JSON object'
  return /^\r\nContent-Type: \S.*\r\nContent-Disposition: \S.*\r\n\r\n/.test(file)
    ? undefined
    : 'its file has no headers'
}

/** Returns the schema with every object closed that names its members and allows no others explicitly. */
function closed(schema: unknown): object {
  if (Array.isArray(schema)) return schema.map((part) => (isSchema(part) ? closed(part) : (part as unknown)))
  const parts = Object.entries(schema as object).map(([name, part]): [string, unknown] => [
    name,
    isSchema(part) ? closed(part) : part,
  ])
  const copy = Object.fromEntries(parts)
  const isOpen = copy['type'] !== 'object' || !('properties' in copy) || 'additionalProperties' in copy
  return isOpen ? copy : { ...copy, additionalProperties: false }
}

function isSchema(part: unknown): part is object {
  return typeof part === 'object' && part !== null
}
