// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../endpoint.ts'

const config = (id: string, path: readonly string[]) =>
  endpoint({
    id,
    method: 'GET',
    path,
    access: 'guest',
    handle: async (_, rt) => ({ 'm.upload.size': rt.config.media.maxUploadBytes }),
  })

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediaconfig */
export const getConfigAuthed = config('getConfigAuthed', ['/_matrix/client/v1/media/config'])
/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3config */
export const getConfig = config(
  'getConfig',
  ['v3', 'r0', 'v1'].map((version) => `/_matrix/media/${version}/config`),
)
