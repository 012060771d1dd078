// SPDX-License-Identifier: Apache-2.0
import type { Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'

/** The limits of the media repository. */
export const MediaConfigReply = Type.Object({ 'm.upload.size': Type.Integer() })

/** Returns the {@link MediaConfigReply} of this server. */
export function mediaConfig({ config }: Pick<Runtime, 'config'>) {
  return { 'm.upload.size': config.media.maxUploadBytes }
}
