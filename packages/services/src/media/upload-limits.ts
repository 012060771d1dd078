// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { uploadedBytes } from '@myelin/storage/media/media'
import type { Runtime } from '../runtime/runtime.ts'

/** The path of the page that explains a limit which names no page of its own; Synapse serves its own there. */
export const UPLOAD_LIMIT_PAGE = '/_synapse/client/media_upload_limit_exceeded'

/**
 * Checks that a user may upload so many bytes more. A reserved media ID counts from when it was reserved.
 *
 * @throws MatrixError `M_USER_LIMIT_EXCEEDED` with `info_uri`, and `can_upgrade` where it is true
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav3upload
 */
export async function checkUploadLimits(
  { config, clock }: Pick<Runtime, 'config' | 'clock'>,
  db: Read,
  { userId, sizeBytes }: { readonly userId: UserId; readonly sizeBytes: number },
): Promise<void> {
  for (const { maxBytes, periodMs, infoUri, canUpgrade } of config.media.uploadLimits) {
    const used = await uploadedBytes(db, userId, clock.now() - periodMs)
    if (used + sizeBytes <= maxBytes) continue
    throw new MatrixError('M_USER_LIMIT_EXCEEDED', 'the upload limit of this user is reached', {
      extra: {
        info_uri: infoUri ?? new URL(UPLOAD_LIMIT_PAGE, config.baseUrl).href,
        ...(canUpgrade ? { can_upgrade: true } : {}),
      },
    })
  }
}
