// SPDX-License-Identifier: Apache-2.0
import type { FederationSettings, KeyServer, OldSigningKey } from '@myelin/kit/settings'
import { decodeBase64 } from '@myelin/matrix/base64'
import { isServerName } from '@myelin/matrix/ids'
import { Type } from 'typebox'
import { duration, group, type Reading, section } from '../section.ts'
import { durationMs } from '../units.ts'

type Keys = Readonly<Record<string, string>>

const trustedServer = group(
  {
    server_name: Type.String({ description: `Its name.`, says: 'a host name' }),
    verify_keys: Type.Optional(
      Type.Unsafe<Keys>({
        type: 'object',
        additionalProperties: { type: 'string' },
        description: `Its own keys in Base64, by key id; without them, whatever it publishes over TLS is believed.`,
      }),
    ),
    accept_keys_insecurely: Type.Optional(
      Type.Boolean({ description: `Taken from Synapse; keys are always fetched over TLS.` }),
    ),
  },
  { description: `A server.` },
)

const REQUESTS_ONCE = 'Taken from Synapse; a request is made once, and what sends events tries again by itself.'
const IGNORED = {
  max_short_retry_delay: Type.Optional(duration({ description: REQUESTS_ONCE })),
  max_long_retry_delay: Type.Optional(duration({ description: REQUESTS_ONCE })),
  max_short_retries: Type.Optional(Type.Integer({ description: REQUESTS_ONCE })),
  max_long_retries: Type.Optional(Type.Integer({ description: REQUESTS_ONCE })),
}

const fields = {
  trusted_key_servers: Type.Array(trustedServer, {
    description: `The servers that are asked for the keys of servers that do not answer. Whoever controls one of them
can pretend to be any server that does not answer.`,
    default: [{ server_name: 'matrix.org' }],
    examples: [[{ server_name: 'matrix.org' }], []],
  }),
  federation_domain_whitelist: Type.Optional(
    Type.Unsafe<readonly string[] | null>({
      type: ['array', 'null'],
      items: { type: 'string' },
      description: `The only servers to speak with, in both directions; an empty list is none. Without this setting,
all.`,
      says: 'a list of server names',
      examples: [['example.org', 'example.com']],
    }),
  ),
  federation_domain_denylist: Type.Array(Type.String(), {
    description: `Servers never to speak with, in either direction. (Synapse has no such setting.)`,
    default: [],
  }),
  old_signing_keys: Type.Unsafe<Readonly<Record<string, { readonly key: string; readonly expired_ts: number }>>>({
    type: 'object',
    additionalProperties: {
      type: 'object',
      properties: { key: { type: 'string' }, expired_ts: { type: 'integer', minimum: 0 } },
      required: ['key', 'expired_ts'],
      additionalProperties: false,
    },
    description: `Keys this server signed with in former times, by key id: the public key in Base64, and when it was
last used, in milliseconds since 1970.`,
    default: {},
    examples: [{ 'ed25519:id': { key: 'base64string', expired_ts: 1_700_000_000_000 } }],
  }),
  federation: group(
    {
      client_timeout: duration({ description: `How long a request to another server may take.`, default: '60s' }),
      destination_min_retry_interval: duration({
        description: `For how long a server is left alone that did not answer.`,
        default: '10s',
      }),
      destination_retry_multiplier: Type.Number({
        description: `How many times as long it is left alone the next time.`,
        minimum: 1,
        default: 2,
      }),
      destination_max_retry_interval: duration({
        description: `The longest time it is left alone.`,
        default: '1h',
      }),
      ...IGNORED,
    },
    { description: `How patient this server is with others.`, default: {} },
  ),
  key_refresh_interval: duration({
    description: `For how long other servers may rely on our key without asking again.`,
    default: '1d',
  }),
}

/** How this server speaks with others. */
export const federation = section({
  title: 'Federation',
  fields,
  read(values, reading): FederationSettings {
    return {
      allowedServers: values.federation_domain_whitelist ?? undefined,
      deniedServers: values.federation_domain_denylist,
      keyServers: values.trusted_key_servers.map((one, index) => keyServerOf(one, index, reading)),
      oldSigningKeys: Object.entries(values.old_signing_keys).map((entry) => oldKeyOf(entry, reading)),
      // Below an hour, other servers would ask us all the time: the spec asks for more than that.
      requestTimeoutMs: durationMs(values.federation.client_timeout),
      retries: {
        firstMs: durationMs(values.federation.destination_min_retry_interval),
        factor: values.federation.destination_retry_multiplier,
        longestMs: durationMs(values.federation.destination_max_retry_interval),
      },
      keyRefreshMs: Math.max(3_600_000, durationMs(values.key_refresh_interval)),
    }
  },
})

function keyServerOf(
  { server_name: serverName, verify_keys: verifyKeys }: { server_name: string; verify_keys?: Keys },
  index: number,
  reading: Reading,
): KeyServer {
  const key = `trusted_key_servers[${index}]`
  if (!isServerName(serverName)) reading.fault(`${key}.server_name`, 'must be a host name, with a port if need be')
  for (const [keyId, encoded] of Object.entries(verifyKeys ?? {}))
    checkKey(`${key}.verify_keys`, [keyId, encoded], reading)
  return { serverName, verifyKeys }
}

function oldKeyOf(
  [keyId, { key: publicKey, expired_ts: expiredTs }]: [string, { readonly key: string; readonly expired_ts: number }],
  reading: Reading,
): OldSigningKey {
  checkKey('old_signing_keys', [keyId, publicKey], reading)
  return { keyId, publicKey, expiredTs }
}

function checkKey(setting: string, [keyId, encoded]: readonly [string, string], reading: Reading): void {
  const isKey = /^ed25519:[A-Za-z0-9_]+$/.test(keyId) && decodeBase64(encoded)?.length === 32
  if (!isKey) reading.fault(`${setting}.${keyId}`, 'must be an Ed25519 key: "ed25519:VERSION" and 32 bytes in Base64')
}
