// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path'
import type { PolicyServerSettings } from '@myelin/kit/settings'
import { isRoomId } from '@myelin/matrix/ids'
import { type Static, Type } from 'typebox'
import { duration, group, path, type Reading, section } from '../values/section.ts'
import { readSigningKeys, SigningKeyError } from '../values/signing-key.ts'
import { durationMs } from '../values/units.ts'

/** Join times of members are kept no longer than this. */
const MAX_NEWCOMER_MS = 30 * 86_400_000
/** Patterns are matched against every text of every event. */
const MAX_PATTERNS = 500
const MAX_PATTERN_LENGTH = 200

const newcomers = group(
  {
    period: duration({
      description: `The time after joining a room for which a user counts as a newcomer; 0 disables it, the maximum is 30 days.
Users who joined before the room used this policy server are not newcomers.`,
      default: 0,
    }),
    forbidden_msgtypes: Type.Array(Type.String(), {
      description: `The \`msgtype\` patterns that newcomers cannot send; * matches any text, ? any character.`,
      default: ['m.image', 'm.video', 'm.audio', 'm.file'],
    }),
    forbidden_event_types: Type.Array(Type.String(), {
      description: `The event types that newcomers cannot send. Of encrypted events only the type is visible.`,
      default: ['m.sticker'],
    }),
    allow_links: Type.Boolean({ description: `Whether messages of newcomers may contain links.`, default: false }),
  },
  { description: `Restrictions on newcomers.`, default: {} },
)

const fields = {
  policy_server: group(
    {
      enabled: Type.Boolean({
        description: `Whether this server acts as a policy server.`,
        default: false,
      }),
      signing_key_path: Type.Optional(
        path({
          description: `The file with the key of the policy server; generate it with: myelin generate-signing-key -o FILE. It must
differ from the server's signing key. Without this setting it is policy.signing.key, beside the first
configuration file.`,
        }),
      ),
      rooms: Type.Optional(
        Type.Array(Type.String(), {
          description: `The IDs of the rooms to serve; * matches any text, ? any character. Without this setting, all rooms that name
this policy server and have a joined user of this server.`,
        }),
      ),
      ban_lists: Type.Array(Type.String(), {
        description: `The IDs of rooms with ban lists (policy lists) to enforce. A user of this server must be in each of them.`,
        default: [],
      }),
      exempt_power_level: Type.Integer({
        description: `The power level from which only the ban lists apply to a user.`,
        default: 50,
      }),
      forbidden_texts: Type.Array(Type.String({ minLength: 1, maxLength: MAX_PATTERN_LENGTH }), {
        maxItems: MAX_PATTERNS,
        description: `Patterns that no text of an event may contain, be it a message, a name or a topic. Upper and lower case are
equal; * matches any text, ? any character.`,
        default: [],
      }),
      max_mentions: Type.Optional(
        Type.Integer({
          description: `The maximum number of users that an event may mention. Without this setting, there is no limit.`,
          minimum: 0,
        }),
      ),
      newcomers,
    },
    {
      description: `This server as the policy server of rooms: it signs the events that it accepts and refuses the others.
docs/moderate.md explains how a room is set up; rc_policy_server limits the events of a user. (Synapse has no
such setting.)`,
      default: {},
      examples: [{ enabled: true, ban_lists: ['!list:example.org'], max_mentions: 10, newcomers: { period: '1d' } }],
    },
  ),
}

type Written = Static<typeof fields.policy_server>

/** Settings of this server as the policy server of rooms. */
export const policyServer = section({
  title: 'Policy server',
  fields,
  read({ policy_server: values }, reading): { policyServer: PolicyServerSettings; policyKeyPath: string | undefined } {
    const { period, ...limits } = values.newcomers
    const forMs = durationMs(period)
    if (forMs > MAX_NEWCOMER_MS) reading.fault('policy_server.newcomers.period', 'must be 30 days at the most')
    for (const [index, id] of values.ban_lists.entries()) {
      if (!isRoomId(id)) reading.fault(`policy_server.ban_lists[${index}]`, 'must be the id of a room, not an alias')
    }
    return {
      policyKeyPath: values.enabled ? keyPathOf(values, reading) : undefined,
      policyServer: {
        isEnabled: values.enabled,
        rooms: values.rooms,
        banLists: values.ban_lists,
        exemptPower: values.exempt_power_level,
        forbiddenTexts: values.forbidden_texts,
        maxMentions: values.max_mentions,
        newcomers: {
          forMs,
          eventTypes: limits.forbidden_event_types,
          messageTypes: limits.forbidden_msgtypes,
          mayLink: limits.allow_links,
        },
      },
    }
  },
})

function keyPathOf({ signing_key_path: given }: Written, reading: Reading): string {
  const keyPath = given === undefined ? resolve(join(reading.folder, 'policy.signing.key')) : resolve(given)
  try {
    readSigningKeys(keyPath)
  } catch (error) {
    if (!(error instanceof SigningKeyError)) throw error
    reading.fault('policy_server.signing_key_path', error.message)
  }
  return keyPath
}
