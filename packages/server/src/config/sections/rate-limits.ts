// SPDX-License-Identifier: Apache-2.0
import type { RateLimit, RateLimits } from '@myelin/kit/settings'
import { Type } from 'typebox'
import { duration, group, section, size } from '../values/section.ts'
import { durationMs, sizeBytes } from '../values/units.ts'

function limit(perSecond: number, burstCount: number, description: string) {
  return group(
    {
      per_second: Type.Number({ description: `The sustained rate, per second.`, minimum: 0, default: perSecond }),
      burst_count: Type.Integer({ description: `The burst above that rate.`, minimum: 0, default: burstCount }),
    },
    { description, default: {} },
  )
}

/** Settings of rate limits. */
export const rateLimits = section({
  title: 'Rate limits',
  fields: {
    rc_message: limit(0.2, 10, `Events sent by one user.`),
    rc_registration: limit(0.17, 3, `Registrations from one address.`),
    rc_registration_token_validity: limit(
      0.1,
      5,
      `Checks of registration tokens from one address; wrong tokens at registration count as well.`,
    ),
    rc_login: group(
      {
        address: limit(0.003, 5, `Logins from one address.`),
        account: limit(0.003, 5, `Logins to one account.`),
        failed_attempts: limit(0.17, 3, `Failed logins to one account.`),
      },
      { description: `Logins.`, default: {} },
    ),
    rc_joins: group(
      {
        local: limit(0.1, 10, `Joins of one user to rooms that this server is in.`),
        remote: limit(0.01, 10, `Joins of one user to rooms that this server is not in.`),
      },
      { description: `Joins.`, default: {} },
    ),
    rc_joins_per_room: limit(1, 10, `Joins of users of this server to one room.`),
    rc_invites: group(
      {
        per_room: limit(0.3, 10, `Invites to one room.`),
        per_issuer: limit(0.3, 10, `Invites that one user sends.`),
        per_user: limit(0.003, 5, `Invites that one user receives.`),
      },
      { description: `Invites.`, default: {} },
    ),
    rc_federation: group(
      {
        window_size: duration({ description: `The window in which requests of a server are counted.`, default: 1000 }),
        sleep_limit: Type.Integer({
          description: `The number of requests in the window above which further ones are delayed.`,
          minimum: 1,
          default: 10,
        }),
        sleep_delay: duration({ description: `The delay of these requests.`, default: 500 }),
        reject_limit: Type.Integer({
          description: `The maximum number of waiting requests of a server; further ones are refused.`,
          minimum: 1,
          default: 50,
        }),
        concurrent: Type.Integer({
          description: `The maximum number of concurrent requests of a server.`,
          minimum: 1,
          default: 3,
        }),
      },
      { description: `Requests of one other server. Its transactions are processed one at a time.`, default: {} },
    ),
    remote_media_download_burst_count: size({
      description: `The burst of remote media that is fetched for one user. Media in the store are not counted.`,
      default: '500M',
    }),
    remote_media_download_per_second: size({
      description: `The sustained rate of remote media that is fetched for one user, per second.`,
      default: '87K',
    }),
    rc_media_create: limit(10, 50, `Media IDs that one user reserves before uploading.`),
    rc_presence: group(
      { per_user: limit(0.1, 1, `Presence updates of one user.`) },
      { description: `Presence updates.`, default: {} },
    ),
    rc_reports: limit(1, 5, `Reports of one user.`),
    rc_third_party_invite: limit(0.2, 10, `Invites of one user to e-mail addresses and phone numbers.`),
    rc_user_directory: limit(0.016, 200, `Searches of one user in the user directory.`),
    rc_room_creation: limit(0.016, 10, `Rooms that one user creates or upgrades.`),
    rc_profile: limit(1, 500, `Profile lookups of one user, or of one address without a token.`),
    rc_public_rooms: limit(
      2,
      50,
      `Searches of one user, or of one address without a token, in room directories. (Synapse has no such setting.)`,
    ),
    rc_url_previews: limit(
      2,
      100,
      `Web pages that are fetched for the previews of one user. (Synapse has no such setting.)`,
    ),
    rc_search: limit(2, 50, `Searches of one user for events. (Synapse has no such setting.)`),
    rc_key_uploads: limit(1, 50, `Key uploads of one device. (Synapse has no such setting.)`),
    rc_to_device: limit(10, 500, `Requests of one device that send to-device messages. (Synapse has no such setting.)`),
    rc_remote_lookups: limit(
      20,
      1000,
      `Other servers that are queried for one user, or for one address without a token: for keys, aliases, room summaries, spaces and
events by time. (Synapse has no such setting.)`,
    ),
    rc_delayed_event_mgmt: limit(1, 5, `Requests of one user that restart, cancel or send a delayed event.`),
    rc_call_tokens: limit(
      1,
      20,
      `Tokens for calls, per user, or per address without an access token. (Synapse has no such setting.)`,
    ),
    rc_policy_server: limit(
      2,
      30,
      `Events of one user that this server signs as a policy server; see policy_server. (Synapse has no such setting.)`,
    ),
  },
  read(values): RateLimits {
    return {
      message: limitOf(values.rc_message),
      registration: limitOf(values.rc_registration),
      registrationTokens: limitOf(values.rc_registration_token_validity),
      login: {
        address: limitOf(values.rc_login.address),
        account: limitOf(values.rc_login.account),
        failedAttempts: limitOf(values.rc_login.failed_attempts),
      },
      joins: {
        local: limitOf(values.rc_joins.local),
        remote: limitOf(values.rc_joins.remote),
        perRoom: limitOf(values.rc_joins_per_room),
      },
      remoteMedia: {
        perSecond: sizeBytes(values.remote_media_download_per_second),
        burstCount: sizeBytes(values.remote_media_download_burst_count),
      },
      presence: limitOf(values.rc_presence.per_user),
      policySender: limitOf(values.rc_policy_server),
      reports: limitOf(values.rc_reports),
      thirdPartyInvites: limitOf(values.rc_third_party_invite),
      userDirectory: limitOf(values.rc_user_directory),
      roomCreation: limitOf(values.rc_room_creation),
      profiles: limitOf(values.rc_profile),
      publicRooms: limitOf(values.rc_public_rooms),
      search: limitOf(values.rc_search),
      mediaCreate: limitOf(values.rc_media_create),
      urlPreviews: limitOf(values.rc_url_previews),
      keyUploads: limitOf(values.rc_key_uploads),
      toDevice: limitOf(values.rc_to_device),
      remoteLookups: limitOf(values.rc_remote_lookups),
      callTokens: limitOf(values.rc_call_tokens),
      delayedEvents: limitOf(values.rc_delayed_event_mgmt),
      invites: {
        perRoom: limitOf(values.rc_invites.per_room),
        perUser: limitOf(values.rc_invites.per_user),
        perIssuer: limitOf(values.rc_invites.per_issuer),
      },
      federation: {
        windowMs: durationMs(values.rc_federation.window_size),
        sleepLimit: values.rc_federation.sleep_limit,
        sleepDelayMs: durationMs(values.rc_federation.sleep_delay),
        rejectLimit: values.rc_federation.reject_limit,
        concurrent: values.rc_federation.concurrent,
      },
    }
  },
})

function limitOf(written: { readonly per_second: number; readonly burst_count: number }): RateLimit {
  return { perSecond: written.per_second, burstCount: written.burst_count }
}
