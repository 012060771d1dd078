// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import type { MediaName } from '@myelin/storage/media/media'

/**
 * Returns the server name and media ID of a path; throws `M_NOT_FOUND` for invalid ones such as `..`.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#content-repo-security-considerations
 */
export function checkedName({
  serverName,
  mediaId,
}: {
  readonly serverName: string
  readonly mediaId: string
}): MediaName {
  if (!isServerName(serverName) || !/^[A-Za-z0-9_-]{1,255}$/.test(mediaId)) throw noSuchMedia()
  return { serverName, mediaId }
}

/** Returns the error for an unknown media ID. */
export function noSuchMedia(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'no such media')
}
