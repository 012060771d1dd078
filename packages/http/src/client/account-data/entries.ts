// SPDX-License-Identifier: Apache-2.0
import { readAccountData, setAccountData as putEntry } from '@myelin/services/account-data/account-data'
import { ownUser } from '@myelin/services/account-data/own-user'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'

const GLOBAL = '/_matrix/client/v3/user/:userId/account_data/:type'
const OF_ROOM = '/_matrix/client/v3/user/:userId/rooms/:roomId/account_data/:type'
const GlobalParams = Type.Object({ userId: Type.String(), type: Type.String() })
const RoomParams = Type.Object({ userId: Type.String(), roomId: Type.String(), type: Type.String() })

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridaccount_datatype */
export const setAccountData = endpoint({
  id: 'setAccountData',
  method: 'PUT',
  path: GLOBAL,
  access: 'user',
  params: GlobalParams,
  body: JsonObjectSchema,
  async handle({ params: { userId, type }, body, requester }, rt) {
    await putEntry(rt, { userId: ownUser(requester, userId), roomId: undefined, type }, body)
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridaccount_datatype */
export const getAccountData = endpoint({
  id: 'getAccountData',
  method: 'GET',
  path: GLOBAL,
  access: 'user',
  params: GlobalParams,
  async handle({ params: { userId, type }, requester }, rt) {
    return readAccountData(rt, { userId: ownUser(requester, userId), roomId: undefined, type })
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidaccount_datatype */
export const setAccountDataPerRoom = endpoint({
  id: 'setAccountDataPerRoom',
  method: 'PUT',
  path: OF_ROOM,
  access: 'user',
  params: RoomParams,
  body: JsonObjectSchema,
  async handle({ params: { userId, roomId, type }, body, requester }, rt) {
    await putEntry(rt, { userId: ownUser(requester, userId), roomId, type }, body)
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidaccount_datatype */
export const getAccountDataPerRoom = endpoint({
  id: 'getAccountDataPerRoom',
  method: 'GET',
  path: OF_ROOM,
  access: 'user',
  params: RoomParams,
  async handle({ params: { userId, roomId, type }, requester }, rt) {
    return readAccountData(rt, { userId: ownUser(requester, userId), roomId, type })
  },
})
