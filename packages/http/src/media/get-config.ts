// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../endpoint.ts'
import { mediaConfig, MediaConfigReply } from './media-config.ts'
import { legacyPaths } from './legacy-paths.ts'

/**
 * Returns the limits of the media repository, at the deprecated path.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3config
 */
export const getConfig = endpoint({
  id: 'getConfig',
  method: 'GET',
  path: legacyPaths('config'),
  access: 'guest',
  reply: MediaConfigReply,

  handle: async (_, rt) => mediaConfig(rt),
})
