// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { JsonObject } from '@myelin/matrix/json'

/**
 * Returns a well-known document.
 *
 * @throws MatrixError `M_NOT_FOUND` where none is configured
 */
export function requireDocument(document: JsonObject | undefined): JsonObject {
  if (!document) throw new MatrixError('M_NOT_FOUND', 'no well-known document is configured')
  return document
}
