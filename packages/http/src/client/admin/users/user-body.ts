// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserChange } from '@myelin/services/moderation/put-user'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { optionalOrNull } from '../../../optional-or-null.ts'
import { JsonObjectSchema } from '../../../schemas.ts'

const Text = optionalOrNull(Type.String())
const Flag = Type.Optional(Type.Boolean())
const List = optionalOrNull(Type.Array(JsonObjectSchema))

/** The body of a request that creates or changes a user. An empty `displayname` or `avatar_url` deletes it. */
export const UserBody = Type.Object({
  password: Text,
  logout_devices: Flag,
  displayname: Text,
  avatar_url: Text,
  admin: Flag,
  deactivated: Flag,
  locked: Flag,
  user_type: Text,
  threepids: List,
  external_ids: List,
})

/** Returns the change that a body asks for; throws `M_INVALID_PARAM` for what accounts do not have. */
export function userChange(body: Static<typeof UserBody>): UserChange {
  if (body.user_type !== undefined) throw unsupported('user_type', 'null')
  if (body.threepids?.length) throw unsupported('threepids', 'empty')
  if (body.external_ids?.length) throw unsupported('external_ids', 'empty')
  return {
    displayName: body.displayname,
    avatarUrl: body.avatar_url,
    password: body.password,
    logsOutDevices: body.logout_devices ?? true,
    isAdmin: body.admin,
    isDeactivated: body.deactivated,
    isLocked: body.locked,
  }
}

function unsupported(name: string, only: string): MatrixError {
  return new MatrixError('M_INVALID_PARAM', `\`${name}\` must be ${only}: accounts of this server have none`)
}
