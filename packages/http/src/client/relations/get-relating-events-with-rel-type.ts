// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { RELATIONS, relationsPage, relationsParams, RelationsQuery, RelationsReply } from './read-relations.ts'

/**
 * Returns a page of the events that relate to an event by one type of relation.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventidreltype
 */
export const getRelatingEventsWithRelType = endpoint({
  id: 'getRelatingEventsWithRelType',
  method: 'GET',
  path: `${RELATIONS}/:relType`,
  access: 'guest',
  params: Type.Object({ ...relationsParams, relType: Type.String() }),
  query: RelationsQuery,
  reply: RelationsReply,

  handle: (request, rt) => relationsPage(request, rt),
})
