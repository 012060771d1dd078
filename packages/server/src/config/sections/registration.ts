// SPDX-License-Identifier: Apache-2.0
import type { PasswordSettings, ProfileSettings, RegistrationSettings } from '@myelin/kit/settings'
import { type Static, type TObject, Type } from 'typebox'
import { group, path, type Reading, section } from '../values/section.ts'

const fields = {
  enable_registration: Type.Boolean({
    description: `Whether registration is open. One of the next two settings is required as well: open registration without verification
attracts spammers, and other servers block a server that hosts them.`,
    default: false,
  }),
  enable_registration_without_verification: Type.Boolean({
    description: `Whether accounts may be registered without any verification.`,
    default: false,
  }),
  registration_requires_token: Type.Boolean({
    description: `Whether registration requires a registration token. Admins create tokens with the admin API
(\`POST /_synapse/admin/v1/registration_tokens/new\`). This is a verification: with it, \`enable_registration\` needs no further
setting.`,
    default: false,
  }),
  registration_shared_secret: Type.Optional(
    Type.String({
      description: `A secret with which accounts, including admins, can be registered regardless of the settings above. \`myelin
register-user\` needs it.`,
      minLength: 1,
      examples: ['a long random word'],
    }),
  ),
  registration_shared_secret_path: Type.Optional(
    path({
      description: `A file that contains that secret. Unlike Synapse, Myelin does not create it.`,
      examples: ['/etc/myelin/registration-secret'],
    }),
  ),
  allow_guest_access: Type.Boolean({
    description: `Whether guest accounts may be registered: without a password, and only for rooms that allow guests.`,
    default: false,
  }),
  enable_set_displayname: Type.Boolean({
    description: `Whether users may change their display name. Admins always may.`,
    default: true,
  }),
  enable_set_avatar_url: Type.Boolean({
    description: `Whether users may change their avatar. Admins always may.`,
    default: true,
  }),
  require_auth_for_profile_requests: Type.Boolean({
    description: `Whether reading a profile requires an access token.`,
    default: false,
  }),
  limit_profile_requests_to_users_who_share_rooms: Type.Boolean({
    description: `Whether users may read the profiles of those only with whom they share a room. It needs
\`require_auth_for_profile_requests\`.`,
    default: false,
  }),
  include_profile_updates_in_sync: Type.Boolean({
    description: `Whether clients that ask for it get changes of the profiles of this server's users with their syncs (MSC4262,
MSC4429). Statuses of users are such changes.`,
    default: false,
  }),
  password_config: group(
    {
      enabled: Type.Boolean({ description: `Whether login with a password is enabled.`, default: true }),
      policy: group(
        {
          enabled: Type.Boolean({ description: `Whether the policy is enforced.`, default: false }),
          minimum_length: Type.Integer({
            description: `The minimum length of a password, in characters.`,
            minimum: 0,
            maximum: 512,
            default: 0,
          }),
          require_digit: Type.Boolean({ description: `Whether a digit is required.`, default: false }),
          require_symbol: Type.Boolean({ description: `Whether a symbol is required.`, default: false }),
          require_lowercase: Type.Boolean({ description: `Whether a lower-case letter is required.`, default: false }),
          require_uppercase: Type.Boolean({ description: `Whether an upper-case letter is required.`, default: false }),
        },
        { description: `Requirements for new passwords.`, default: {} },
      ),
    },
    { description: `Settings of passwords.`, default: {} },
  ),
}

type Values = Static<TObject<typeof fields>>

function sharedRoomRequired(values: Values, reading: Reading): boolean {
  const isRequired = values.limit_profile_requests_to_users_who_share_rooms
  if (isRequired && !values.require_auth_for_profile_requests)
    reading.fault('limit_profile_requests_to_users_who_share_rooms', 'needs require_auth_for_profile_requests')
  return isRequired
}

/** Settings of registration, and of the rights of users over their own accounts. */
export const registration = section({
  title: 'Registration',
  fields,
  read(values, reading) {
    return {
      registration: {
        isEnabled: values.enable_registration,
        requiresToken: values.registration_requires_token,
        sharedSecret: sharedSecretOf(values, reading),
        allowsGuests: values.allow_guest_access,
      } satisfies RegistrationSettings,
      passwords: passwordsOf(values.password_config),
      profiles: {
        requiresToken: values.require_auth_for_profile_requests,
        requiresSharedRoom: sharedRoomRequired(values, reading),
        maySetDisplayName: values.enable_set_displayname,
        maySetAvatarUrl: values.enable_set_avatar_url,
        isInSync: values.include_profile_updates_in_sync,
        maxInAnswer: 500,
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
  if (values.registration_requires_token) return
  const advice = `is true, and nothing checks who registers: that draws spammers. Set \
registration_requires_token, or, if open registration is really meant, enable_registration_without_verification as well`
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
