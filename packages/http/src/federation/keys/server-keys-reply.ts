// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { encodedObject, recordOf } from '../../reply-schemas.ts'

/** The signed public keys of a server. */
export const ServerKeysReply = encodedObject(
  Type.Object(
    {
      server_name: Type.String(),
      valid_until_ts: Type.Integer(),
      verify_keys: recordOf(Type.Object({ key: Type.String() })),
      old_verify_keys: Type.Optional(recordOf(Type.Object({ key: Type.String(), expired_ts: Type.Integer() }))),
      signatures: recordOf(recordOf(Type.String())),
    },
    // The notary relays documents that other servers signed, with any members.
    { additionalProperties: true },
  ),
)

/** The keys of several servers, countersigned by this one. */
export const NotaryReply = Type.Object({ server_keys: Type.Array(ServerKeysReply) })
