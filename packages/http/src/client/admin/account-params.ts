// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { UserIdSchema } from '../../schemas.ts'

/** The path of an account's lock. */
export const LOCK = '/_matrix/client/v1/admin/lock/:userId'
/** The path of an account's suspension. */
export const SUSPENSION = '/_matrix/client/v1/admin/suspend/:userId'
/** The parameters of both paths. */
export const AccountParams = Type.Object({ userId: UserIdSchema })
/** The schema for locking and unlocking an account. */
export const LockSchema = Type.Object({ locked: Type.Boolean() })
/** The schema for suspending an account and ending the suspension. */
export const SuspensionSchema = Type.Object({ suspended: Type.Boolean() })
