// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import type { MediaName } from '@myelin/storage/media/media'

/**
 * The two parts of an `mxc://` URI as they came in a path; `M_NOT_FOUND` for what cannot be one, such as `..`.
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

/** What is answered for a name that stands for nothing. */
export function noSuchMedia(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'there is no such media')
}
