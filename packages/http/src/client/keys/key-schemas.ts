// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { Type } from 'typebox'
import { encodedObject, ObjectSchema, openObject, recordOf } from '../../reply-schemas.ts'
import { DeviceIdSchema, mapOf } from '../../schemas.ts'

/** A user id as the key of an object; services check it further. */
export const UserKeySchema = Type.String({ pattern: '^@[^\\u0000]*$', maxLength: 255 })
/** A device id as the key of an object, or a cross-signing key in its place. */
export const DeviceKeySchema = DeviceIdSchema
/** `<algorithm>:<key id>`. */
const KeyNameSchema = Type.String({ pattern: '^[^:\\u0000]+:[^\\u0000]+$', maxLength: 255 })
/** The name of an algorithm. */
export const AlgorithmSchema = Type.String({ pattern: '^[^:\\u0000]+$', maxLength: 255 })
/** Signatures by signer and key. */
export const SignaturesSchema = mapOf(UserKeySchema, mapOf(Type.String({ maxLength: 600 }), Type.String()))

/** The identity keys that a device uploads. */
export const UploadedDeviceKeys = Type.Unsafe<JsonObject>(
  Type.Object({
    user_id: UserKeySchema,
    device_id: DeviceKeySchema,
    algorithms: Type.Array(Type.String()),
    keys: mapOf(Type.String({ maxLength: 600 }), Type.String()),
    signatures: SignaturesSchema,
  }),
)
/** One-time or fallback keys that a device uploads, by name: the key alone, or an object with the device's signature. */
export const UploadedNamedKeys = Type.Unsafe<JsonObject>(
  mapOf(
    KeyNameSchema,
    Type.Union([Type.String(), Type.Object({ key: Type.String(), signatures: SignaturesSchema })]),
    1000,
  ),
)

const CrossSigningKey = openObject({
  user_id: Type.String(),
  usage: Type.Array(Type.String()),
  keys: recordOf(Type.String()),
  signatures: Type.Optional(ObjectSchema),
})
const DeviceKeys = openObject({
  user_id: Type.String(),
  device_id: Type.String(),
  algorithms: Type.Array(Type.String()),
  keys: recordOf(Type.String()),
  signatures: Type.Optional(ObjectSchema),
  unsigned: Type.Optional(ObjectSchema),
})

/** Identity keys in replies, by user and device. */
export const DeviceKeysByUser = encodedObject(recordOf(recordOf(DeviceKeys)))
/** Cross-signing keys in replies, by user. */
export const CrossSigningKeysByUser = encodedObject(recordOf(CrossSigningKey))
/** A cross-signing key in replies, where the user has one. */
export const OptionalCrossSigningKey = Type.Optional(CrossSigningKey)
/** One-time keys in replies, by user, device and key name. */
export const OneTimeKeysByUser = encodedObject(
  recordOf(recordOf(recordOf(Type.Union([Type.String(), openObject({ key: Type.String() })])))),
)
/** Errors in replies, by server or user. */
export const FailuresReply = encodedObject(recordOf(ObjectSchema))
