// SPDX-License-Identifier: Apache-2.0
import type { PasswordSettings, ProfileSettings, RegistrationSettings } from '@myelin/kit/settings'
import { type Static, type TObject, Type } from 'typebox'
import { group, path, type Reading, section } from '../section.ts'

const fields = {
  enable_registration: Type.Boolean({
    description: `Whether anyone may make an account. It takes the setting below as well: accounts without
any check draw spammers, and the rest of the network remembers.`,
    default: false,
  }),
  enable_registration_without_verification: Type.Boolean({
    description: `Whether accounts may be made without any check.`,
    default: false,
  }),
  registration_requires_token: Type.Unsafe<false>({
    type: 'boolean',
    enum: [false],
    description: `Whether making an account takes a registration token. Myelin has no such tokens yet, so this can only be
false.`,
    says: 'false: there are no registration tokens yet',
    default: false,
  }),
  registration_shared_secret: Type.Optional(
    Type.String({
      description: `Whoever knows this secret can make accounts, and admins, whatever the settings above say; \`myelin
register-user\` needs it.`,
      minLength: 1,
      examples: ['a long random word'],
    }),
  ),
  registration_shared_secret_path: Type.Optional(
    path({
      description: `A file with that secret, in place of the secret itself. Unlike Synapse, Myelin does not make the file
when it is not there.`,
      examples: ['/etc/myelin/registration-secret'],
    }),
  ),
  allow_guest_access: Type.Unsafe<false>({
    type: 'boolean',
    enum: [false],
    description: `Whether one may look around without an account. Myelin has no guests yet, so this can only be false.`,
    says: 'false: there are no guests yet',
    default: false,
  }),
  enable_set_displayname: Type.Boolean({
    description: `Whether people may change the name they are shown by. Admins may, always.`,
    default: true,
  }),
  enable_set_avatar_url: Type.Boolean({
    description: `Whether people may change their picture. Admins may, always.`,
    default: true,
  }),
  password_config: group(
    {
      enabled: Type.Boolean({ description: `Whether one can log in with a password.`, default: true }),
      policy: group(
        {
          enabled: Type.Boolean({ description: `Whether the rest of this policy holds.`, default: false }),
          minimum_length: Type.Integer({
            description: `The fewest characters a password may have.`,
            minimum: 0,
            maximum: 512,
            default: 0,
          }),
          require_digit: Type.Boolean({ description: `Whether it must have a digit.`, default: false }),
          require_symbol: Type.Boolean({ description: `Whether it must have a symbol.`, default: false }),
          require_lowercase: Type.Boolean({ description: `Whether it must have a small letter.`, default: false }),
          require_uppercase: Type.Boolean({ description: `Whether it must have a capital letter.`, default: false }),
        },
        { description: `What passwords that are set from now on must have.`, default: {} },
      ),
    },
    { description: `Passwords.`, default: {} },
  ),
}

type Values = Static<TObject<typeof fields>>

/** Who may have an account, and what people may do with theirs. */
export const registration = section({
  title: 'Registration',
  fields,
  read(values, reading) {
    return {
      registration: {
        isEnabled: values.enable_registration,
        requiresToken: values.registration_requires_token,
        sharedSecret: sharedSecretOf(values, reading),
      } satisfies RegistrationSettings,
      passwords: passwordsOf(values.password_config),
      profiles: {
        maySetDisplayName: values.enable_set_displayname,
        maySetAvatarUrl: values.enable_set_avatar_url,
      } satisfies ProfileSettings,
    }
  },
})

function sharedSecretOf(values: Values, reading: Reading): string | undefined {
  checkSomethingVerifies(values, reading)
  const { registration_shared_secret: secret, registration_shared_secret_path: secretPath } = values
  if (secretPath === undefined) return secret
  if (secret !== undefined) {
    const advice = 'cannot stand beside registration_shared_secret; leave one of the two out'
    reading.fault('registration_shared_secret_path', advice)
  }
  return reading.fileText('registration_shared_secret_path', secretPath)
}

function checkSomethingVerifies(values: Values, reading: Reading): void {
  if (!values.enable_registration || values.enable_registration_without_verification) return
  const advice = `is true, and nothing checks who registers: that draws spammers. If open registration is really meant, \
set enable_registration_without_verification as well`
  reading.fault('enable_registration', advice)
}

function passwordsOf({ enabled, policy }: Values['password_config']): PasswordSettings {
  return {
    isEnabled: enabled,
    policy: {
      isEnabled: policy.enabled,
      minimumLength: policy.minimum_length,
      requiresDigit: policy.require_digit,
      requiresSymbol: policy.require_symbol,
      requiresLowercase: policy.require_lowercase,
      requiresUppercase: policy.require_uppercase,
    },
  }
}
