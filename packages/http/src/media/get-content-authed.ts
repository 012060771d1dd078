// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../endpoint.ts'
import { DOWNLOAD, download, downloadContract } from './download.ts'

/**
 * Returns a file.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid
 */
export const getContentAuthed = endpoint({
  id: 'getContentAuthed',
  method: 'GET',
  path: DOWNLOAD,
  access: 'guest',
  ...downloadContract,

  handle: (request, rt) => download(rt, request, true),
})
