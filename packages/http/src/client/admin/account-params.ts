// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { UserIdSchema } from '../../schemas.ts'

/** The path of an account's lock. */
export const LOCK = '/_matrix/client/v1/admin/lock/:userId'
/** The path of an account's suspension. */
export const SUSPENSION = '/_matrix/client/v1/admin/suspend/:userId'
/** The parameters of both paths. */
export const AccountParams = Type.Object({ userId: UserIdSchema })
/** Whether an account is locked. */
export const LockSchema = Type.Object({ locked: Type.Boolean() })
/** Whether an account is suspended. */
export const SuspensionSchema = Type.Object({ suspended: Type.Boolean() })
