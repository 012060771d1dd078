// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../endpoint.ts'
import { mediaConfig, MediaConfigReply } from './media-config.ts'

/**
 * Returns the limits of the media repository.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediaconfig
 */
export const getConfigAuthed = endpoint({
  id: 'getConfigAuthed',
  method: 'GET',
  path: '/_matrix/client/v1/media/config',
  access: 'guest',
  reply: MediaConfigReply,

  handle: async (_, rt) => mediaConfig(rt),
})
