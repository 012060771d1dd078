// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { RELATIONS, relationsPage, relationsParams, RelationsQuery, RelationsReply } from './read-relations.ts'

/**
 * Returns a page of the events that relate to an event.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventid
 */
export const getRelatingEvents = endpoint({
  id: 'getRelatingEvents',
  method: 'GET',
  path: RELATIONS,
  access: 'guest',
  params: Type.Object(relationsParams),
  query: RelationsQuery,
  reply: RelationsReply,

  handle: (request, rt) => relationsPage(request, rt),
})
