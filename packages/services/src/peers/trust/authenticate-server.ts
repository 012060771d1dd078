// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ServerName } from '@myelin/matrix/ids'
import { parseJson } from '@myelin/matrix/parse-json'
import { verifyBytes, verifyLongBytes } from '@myelin/matrix/signatures'
import { requestFormInSteps } from '@myelin/remote/federation'
import type { SignedForm } from '@myelin/remote/federation'
import type { Runtime } from '../../runtime/runtime.ts'
import { noteServerReachable } from './reachable-servers.ts'
import { mayFederateWith } from './may-federate-with.ts'
import { loadServerKeys } from './server-keys.ts'
import { parseXMatrix, type ServerAuthorization } from './x-matrix.ts'

type Needs = Pick<
  Runtime,
  'db' | 'remote' | 'clock' | 'config' | 'serverName' | 'signingKey' | 'otherKeys' | 'log' | 'bus'
>

/** A request with the signature of another server. */
export interface SignedRequest {
  readonly method: string
  /** Path and query exactly as received. */
  readonly target: string
  /** The `Authorization` headers, one per entry. */
  readonly authorization: readonly string[]
  /** The text of the body; undefined where there was none, which differs from `{}`. */
  readonly body: string | undefined
}

/** Servers sign with one key, or with two during a key change. */
const MAX_HEADERS = 8

/**
 * Returns the server that signed a request; throws `M_UNAUTHORIZED` where no signature is valid.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export async function authenticateServer(rt: Needs, request: SignedRequest): Promise<ServerName> {
  const { body, ...rest } = request
  const content = body === undefined ? undefined : parseJson(body, { keepNumbers: true })
  return authenticateContent(rt, { ...rest, content })
}

/** Authenticates a request with a parsed body whose numbers keep their original spelling. See {@link authenticateServer}. */
export async function authenticateContent(
  rt: Needs,
  request: Omit<SignedRequest, 'body'> & Pick<SignedForm, 'content' | 'length'>,
): Promise<ServerName> {
  const { method, target, authorization, ...body } = request
  const claims = serverAuthorizations(rt, authorization)
  const { origin } = claims[0]
  const now = rt.clock.now()
  const ring = await loadServerKeys(
    rt,
    claims.map(({ keyId }) => ({ server: origin, keyId, validAt: now })),
  )
  const form = requestFormInSteps({ method, uri: target, origin, destination: rt.serverName, ...body })
  const verify = await verifierOf(form)
  let isSigned = false
  for (const { keyId, signature } of claims) {
    const key = ring.keyFor(origin, keyId, now)
    isSigned ||= key !== undefined && (await verify(signature, key))
  }
  if (!isSigned) throw refused(`the request is not signed by ${origin} with a key that can be checked`)
  noteServerReachable(rt.bus, origin)
  return origin
}

type Verify = (signature: string, key: Uint8Array) => boolean | Promise<boolean>

/** Returns a check of signatures of a text, on another thread where the text is long. */
async function verifierOf(form: string | Promise<Uint8Array>): Promise<Verify> {
  if (typeof form === 'string') return (signature, key) => verifyBytes(form, signature, key)
  const bytes = await form
  return (signature, key) => verifyLongBytes(bytes, signature, key)
}

/**
 * Returns the authorizations in the headers, without checking a signature: all of one allowed origin, and addressed to
 * this server.
 *
 * This server's own name is refused: it sends no requests to itself, so such a signature would mean that its key has
 * leaked.
 */
export function serverAuthorizations(
  rt: Pick<Runtime, 'config' | 'serverName'>,
  headers: readonly string[],
): readonly [ServerAuthorization, ...ServerAuthorization[]] {
  if (headers.length > MAX_HEADERS) throw refused('there are too many Authorization headers')
  const claims = headers.map(parseXMatrix).filter((claim) => claim !== undefined)
  const [first, ...others] = claims
  if (!first || claims.length < headers.length) throw refused('an Authorization header with X-Matrix is needed')
  for (const { origin, destination } of claims) {
    if (destination !== undefined && destination !== rt.serverName) {
      throw refused('the request is meant for another server')
    }
    if (origin !== first.origin) throw refused('the Authorization headers name several servers')
  }
  if (first.origin === rt.serverName) throw refused('the request claims to come from this server itself')
  if (!mayFederateWith(rt, first.origin)) {
    throw new MatrixError('M_FORBIDDEN', 'federation with your server is disabled on this server')
  }
  return [first, ...others]
}

function refused(message: string): MatrixError {
  return new MatrixError('M_UNAUTHORIZED', message)
}
