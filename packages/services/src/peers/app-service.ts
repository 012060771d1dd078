// SPDX-License-Identifier: Apache-2.0
import { encodeJson } from '@myelin/kit/raw-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomAlias, UserId } from '@myelin/matrix/ids'
import { RemoteError } from '@myelin/remote/remote-error'
import { appServices } from '../runtime/app-services.ts'
import type { AppService } from '../runtime/app-services.ts'
import type { Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'remote' | 'log'>

/** A request to an application service. */
export interface AppServiceRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** The path below `/_matrix/app/v1`, percent-encoded. */
  readonly path: string
  readonly body?: unknown
  readonly timeoutMs: number
  /** The bytes of the answer that are kept; 64 KiB if absent. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

/** The answer of an application service: its status, and its text as far as it is short. */
export interface AppServiceAnswer {
  readonly status: number
  readonly text: string
}

const MAX_ANSWER_BYTES = 64 * 1024
const QUERY_TIMEOUT_MS = 10_000
const PING_TIMEOUT_MS = 60_000

/**
 * Sends a request to an application service.
 *
 * @throws {RemoteError} where it does not answer
 * @see https://spec.matrix.org/v1.19/application-service-api/#homeserver---application-service-api
 */
export async function callAppService(
  { remote }: Pick<Runtime, 'remote'>,
  { settings }: AppService,
  { method, path, body, timeoutMs, maxBytes = MAX_ANSWER_BYTES, signal }: AppServiceRequest,
): Promise<AppServiceAnswer> {
  const url = new URL(`${settings.url ?? ''}/_matrix/app/v1${path}`)
  const reply = await remote.callOwn(url, {
    method,
    headers: {
      authorization: `Bearer ${settings.hsToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: encodeJson(body) }),
    timeoutMs,
    ...(signal ? { signal } : {}),
  })
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of reply.body) {
    // The rest is read, so that the connection can be used again, and dropped.
    if (size < maxBytes) parts.push(part)
    size += part.length
  }
  return { status: reply.status, text: Buffer.concat(parts).subarray(0, maxBytes).toString('utf8') }
}

/** Asks an application service whether a user of its namespace that is not registered exists; it may register it. */
export function askForUser(rt: Needs, service: AppService, userId: UserId): Promise<boolean> {
  return isKnown(rt, [service], `/users/${encodeURIComponent(userId)}`)
}

/** Asks the application services responsible for an alias that does not exist whether there is a room; they may create it. */
export async function askForAlias(rt: Needs & Pick<Runtime, 'config'>, alias: RoomAlias): Promise<boolean> {
  const asked = appServices(rt.config).all.filter((service) => service.hasAlias(alias))
  return isKnown(rt, asked, `/rooms/${encodeURIComponent(alias)}`)
}

async function isKnown(rt: Needs, services: readonly AppService[], path: string): Promise<boolean> {
  for (const service of services) {
    const { id, url } = service.settings
    if (url === undefined) continue
    try {
      const { status } = await callAppService(rt, service, { method: 'GET', path, timeoutMs: QUERY_TIMEOUT_MS })
      if (status === 200) return true
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
      rt.log.warn({ appService: id, cause: cause.message }, 'an application service did not answer a query')
    }
  }
  return false
}

/**
 * Sends a ping to an application service; returns how long the answer took, in ms.
 *
 * @throws MatrixError `M_URL_NOT_SET`, `M_BAD_STATUS`, `M_CONNECTION_FAILED`, `M_CONNECTION_TIMEOUT`
 * @see https://spec.matrix.org/v1.19/application-service-api/#pinging
 */
export async function pingAppService(
  rt: Needs,
  service: AppService,
  transactionId: string | undefined,
): Promise<number> {
  if (service.settings.url === undefined) {
    throw new MatrixError('M_URL_NOT_SET', 'the application service has no URL')
  }
  const body = transactionId === undefined ? {} : { transaction_id: transactionId }
  const startedMs = performance.now()
  const { status, text } = await callAppService(rt, service, {
    method: 'POST',
    path: '/ping',
    body,
    timeoutMs: PING_TIMEOUT_MS,
  }).catch((cause: unknown) => {
    if (!(cause instanceof RemoteError)) throw cause
    const isLate = performance.now() - startedMs >= PING_TIMEOUT_MS
    throw isLate
      ? new MatrixError('M_CONNECTION_TIMEOUT', 'the application service did not answer in time', { cause })
      : new MatrixError('M_CONNECTION_FAILED', `the application service cannot be reached: ${cause.message}`, { cause })
  })
  if (status < 200 || status >= 300) {
    throw new MatrixError('M_BAD_STATUS', `the application service answered ${status}`, {
      extra: { status, body: text },
    })
  }
  return Math.round(performance.now() - startedMs)
}
