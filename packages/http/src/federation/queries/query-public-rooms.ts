// SPDX-License-Identifier: Apache-2.0
import { servePublicRooms } from '@myelin/services/federation/serve/directory'
import { DirectorySearch, directoryQueryOf } from '../../directory-search.ts'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { PublicRoomsReply } from '../../room-replies.ts'

/**
 * Returns a page of this server's room directory that matches a filter.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1publicrooms
 */
export const queryPublicRooms = endpoint({
  id: 'queryPublicRooms',
  method: 'POST',
  path: '/_matrix/federation/v1/publicRooms',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.document,
  body: DirectorySearch,
  reply: PublicRoomsReply,

  handle: ({ body }, rt) => servePublicRooms(rt, directoryQueryOf(body)),
})
