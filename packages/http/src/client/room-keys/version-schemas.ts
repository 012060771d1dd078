// SPDX-License-Identifier: Apache-2.0
import type { BackupSummary } from '@myelin/services/keys/key-backup'
import { Type } from 'typebox'
import { ObjectSchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'

/** The path of the current backup, and of new ones. */
export const VERSIONS = '/_matrix/client/v3/room_keys/version'
/** The path of one backup. */
export const VERSION = `${VERSIONS}/:version`
/** The parameters of {@link VERSION}. */
export const VersionParams = Type.Object({ version: Type.String() })

/** The members of a backup's definition in request bodies. */
export const definitionMembers = {
  algorithm: Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\u0000]*$' }),
  auth_data: JsonObjectSchema,
}

/** A backup's definition and size. */
export const SummaryReply = Type.Object({
  algorithm: Type.String(),
  auth_data: ObjectSchema,
  count: Type.Integer(),
  etag: Type.String(),
  version: Type.String(),
})

/** Returns the {@link SummaryReply} of a backup. */
export function summaryReply({ version, algorithm, authData, etag, count }: BackupSummary) {
  return { algorithm, auth_data: authData, count, etag, version }
}
