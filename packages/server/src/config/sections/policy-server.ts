// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path'
import type { PolicyServerSettings } from '@myelin/kit/settings'
import { isRoomId } from '@myelin/matrix/ids'
import { type Static, Type } from 'typebox'
import { duration, group, path, type Reading, section } from '../section.ts'
import { readSigningKeys, SigningKeyError } from '../signing-key.ts'
import { durationMs } from '../units.ts'

/** What is kept of who came in goes back no further. */
const LONGEST_NEWCOMER_MS = 30 * 86_400_000
/** Patterns are matched against every text of every event. */
const MOST_PATTERNS = 500
const LONGEST_PATTERN = 200

const newcomers = group(
  {
    period: duration({
      description: `For how long somebody who came into a room is a newcomer; 0 is never, 30 days is the most. Who was
there before the room had this policy server is none.`,
      default: 0,
    }),
    forbidden_msgtypes: Type.Array(Type.String(), {
      description: `The kinds of messages they cannot send; * and ? stand for any text and any letter.`,
      default: ['m.image', 'm.video', 'm.audio', 'm.file'],
    }),
    forbidden_event_types: Type.Array(Type.String(), {
      description: `The types of events they cannot send. What is encrypted can be told by its type only.`,
      default: ['m.sticker'],
    }),
    allow_links: Type.Boolean({ description: `Whether their messages may have links in them.`, default: false }),
  },
  { description: `What those who came in a short while ago cannot do.`, default: {} },
)

const fields = {
  policy_server: group(
    {
      enabled: Type.Boolean({
        description: `Whether rooms may have this server as their policy server.`,
        default: false,
      }),
      signing_key_path: Type.Optional(
        path({
          description: `The file with its key, made with: myelin generate-signing-key -o FILE. It must be another one
than the server's own. Without this setting it is policy.signing.key, beside the first configuration file.`,
        }),
      ),
      rooms: Type.Optional(
        Type.Array(Type.String(), {
          description: `The ids of the rooms it serves; * and ? stand for any text and any letter. Without this setting,
all rooms that name it and that somebody of this server is in.`,
        }),
      ),
      ban_lists: Type.Array(Type.String(), {
        description: `The ids of rooms whose lists say who is banned. Somebody of this server must be in them.`,
        default: [],
      }),
      exempt_power_level: Type.Integer({
        description: `Who has this power level in a room, or more, is held to the ban lists only.`,
        default: 50,
      }),
      forbidden_texts: Type.Array(Type.String({ minLength: 1, maxLength: LONGEST_PATTERN }), {
        maxItems: MOST_PATTERNS,
        description: `What no text of an event may have in it, be it a message, a name or a topic, whatever the case of its
letters; * and ? stand for any text and any letter.`,
        default: [],
      }),
      max_mentions: Type.Optional(
        Type.Integer({
          description: `How many people one event may mention. Without this setting, any number.`,
          minimum: 0,
        }),
      ),
      newcomers,
    },
    {
      description: `This server as the policy server of rooms: it signs what may enter them, and refuses the rest. How a
room is set up is in docs/moderate.md; how much one person may send is rc_policy_server. (Synapse has no such setting.)`,
      default: {},
      examples: [{ enabled: true, ban_lists: ['!list:example.org'], max_mentions: 10, newcomers: { period: '1d' } }],
    },
  ),
}

type Written = Static<typeof fields.policy_server>

/** What this server is to rooms that made it their policy server. */
export const policyServer = section({
  title: 'Policy server',
  fields,
  read({ policy_server: values }, reading): { policyServer: PolicyServerSettings; policyKeyPath: string | undefined } {
    const { period, ...limits } = values.newcomers
    const forMs = durationMs(period)
    if (forMs > LONGEST_NEWCOMER_MS) reading.fault('policy_server.newcomers.period', 'must be 30 days at the most')
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
