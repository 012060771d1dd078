// SPDX-License-Identifier: Apache-2.0
import type { TurnSettings } from '@myelin/kit/settings'
import { type Static, type TObject, Type } from 'typebox'
import { duration, path, type Reading, section } from '../values/section.ts'
import { durationMs } from '../values/units.ts'

const fields = {
  turn_uris: Type.Array(Type.String({ minLength: 1 }), {
    description: `The URIs of TURN servers, which relay voice and video calls between clients that cannot reach each other
directly.`,
    default: [],
    examples: [['turn:turn.example.org?transport=udp', 'turn:turn.example.org?transport=tcp']],
  }),
  turn_shared_secret: Type.Optional(
    Type.String({
      description: `The secret shared with the TURN servers (coturn's \`static-auth-secret\`). Each user gets temporary credentials
derived from it.`,
      minLength: 1,
      examples: ['another long random word'],
    }),
  ),
  turn_shared_secret_path: Type.Optional(
    path({
      description: `A file that contains that secret.`,
      examples: ['/etc/myelin/turn-secret'],
    }),
  ),
  turn_username: Type.Optional(
    Type.String({
      description: `The user name for TURN servers without a shared secret.`,
      minLength: 1,
      examples: ['myelin'],
    }),
  ),
  turn_password: Type.Optional(
    Type.String({
      description: `The password for TURN servers without a shared secret.`,
      minLength: 1,
      examples: ['a word for the TURN servers'],
    }),
  ),
  turn_user_lifetime: duration({
    description: `The lifetime of credentials for TURN servers.`,
    default: '1h',
  }),
  turn_allow_guests: Type.Boolean({ description: `Whether guests get credentials for TURN servers.`, default: true }),
}

type Values = Static<TObject<typeof fields>>

/** Settings of TURN servers for calls. */
export const turn = section({
  title: 'Calls',
  fields,
  read(values, reading): TurnSettings {
    if ((values.turn_username === undefined) !== (values.turn_password === undefined)) {
      reading.fault('turn_username', 'and turn_password go together')
    }
    return {
      uris: values.turn_uris,
      sharedSecret: sharedSecretOf(values, reading),
      username: values.turn_username,
      password: values.turn_password,
      lifetimeMs: durationMs(values.turn_user_lifetime),
      allowsGuests: values.turn_allow_guests,
    }
  },
})

function sharedSecretOf(values: Values, reading: Reading): string | undefined {
  const { turn_shared_secret: secret, turn_shared_secret_path: secretPath } = values
  if (secretPath === undefined) return secret
  if (secret !== undefined) {
    reading.fault('turn_shared_secret_path', 'cannot stand beside turn_shared_secret; leave one of the two out')
  }
  return reading.fileText('turn_shared_secret_path', secretPath)
}
