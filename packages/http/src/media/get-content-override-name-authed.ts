// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../endpoint.ts'
import { DOWNLOAD, download, downloadContract } from './download.ts'

/**
 * Returns a file under a name that the client chooses.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaidfilename
 */
export const getContentOverrideNameAuthed = endpoint({
  id: 'getContentOverrideNameAuthed',
  method: 'GET',
  path: `${DOWNLOAD}/:fileName`,
  access: 'guest',
  ...downloadContract,

  handle: (request, rt) => download(rt, request, true),
})
