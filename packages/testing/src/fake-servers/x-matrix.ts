// SPDX-License-Identifier: Apache-2.0
import type { Json } from '@myelin/matrix/json'
import type { SigningKey } from '@myelin/matrix/signatures'
import { signBytes } from '@myelin/matrix/signatures'
import { requestForm } from '@myelin/remote/federation'

/** A federation request that a fake server signs. */
export interface UnsignedRequest {
  readonly origin: string
  readonly destination: string
  readonly method: string
  readonly uri: string
  readonly content?: Json | undefined
}

/**
 * Returns the `Authorization` header of a request of a fake server, signed with any key.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export function xMatrixHeader(request: UnsignedRequest, key: SigningKey): string {
  const sig = signBytes(requestForm({ ...request, content: request.content }), key)
  return `X-Matrix origin="${request.origin}",destination="${request.destination}",key="${key.id}",sig="${sig}"`
}
