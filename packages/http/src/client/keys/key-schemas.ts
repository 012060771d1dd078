// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import type { Static, TSchema } from 'typebox'
import { DeviceIdSchema } from '../session/device-schemas.ts'

/** An object with names from outside, all of one kind, and values of one kind. Read it with `Object.entries`. */
export function mapOf<Value extends TSchema>(name: TSchema, value: Value, maxProperties = 10_000) {
  const schema = { type: 'object', propertyNames: name, additionalProperties: value, maxProperties }
  return Type.Unsafe<Readonly<Record<string, Static<Value>>>>(schema)
}

/** A user id as the name of a member; services look closer. */
export const UserKeySchema = Type.String({ pattern: '^@[^\\u0000]*$', maxLength: 255 })
/** A device id, or a cross-signing key where it stands for a device. */
export const DeviceKeySchema = DeviceIdSchema
/** `<algorithm>:<key id>`. */
export const KeyNameSchema = Type.String({ pattern: '^[^:\\u0000]+:[^\\u0000]+$', maxLength: 255 })
/** The name of an algorithm. */
export const AlgorithmSchema = Type.String({ pattern: '^[^:\\u0000]+$', maxLength: 255 })
/** From signer to key to signature. */
export const SignaturesSchema = mapOf(UserKeySchema, mapOf(Type.String({ maxLength: 600 }), Type.String()))
