// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { AddressInvite } from '@myelin/services/rooms/third-party-invite'

const NAMES = ['id_server', 'id_access_token', 'medium', 'address'] as const

/** The members of a body that invite an address. */
type AddressBody = { readonly [Name in (typeof NAMES)[number]]?: string | undefined }

/** Returns the address that a body invites, and its identity server; throws `M_MISSING_PARAM` where a member is absent. */
export function addressOf(body: AddressBody): Pick<AddressInvite, 'server' | 'id'> {
  const absent = NAMES.find((name) => body[name] === undefined)
  if (absent !== undefined) throw new MatrixError('M_MISSING_PARAM', `\`${absent}\` is missing`)
  const { id_server: host = '', id_access_token: accessToken = '', medium = '', address = '' } = body
  return { server: { host, accessToken }, id: { medium, address } }
}
