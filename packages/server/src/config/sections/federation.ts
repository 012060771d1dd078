// SPDX-License-Identifier: Apache-2.0
import type { FederationSettings, KeyServer, OldSigningKey } from '@myelin/kit/settings'
import { decodeBase64 } from '@myelin/matrix/base64'
import { isServerName } from '@myelin/matrix/ids'
import { Type } from 'typebox'
import { duration, group, type Reading, section } from '../values/section.ts'
import { durationMs } from '../values/units.ts'

type Keys = Readonly<Record<string, string>>

const trustedServer = group(
  {
    server_name: Type.String({ description: `The name of the server.`, takes: 'a host name' }),
    verify_keys: Type.Optional(
      Type.Unsafe<Keys>({
        type: 'object',
        additionalProperties: { type: 'string' },
        description: `Its signing keys in Base64, by key ID. Without this setting, the keys that it publishes over TLS are trusted.`,
      }),
    ),
    accept_keys_insecurely: Type.Optional(
      Type.Boolean({ description: `Accepted for compatibility and ignored: keys are always fetched over TLS.` }),
    ),
  },
  { description: `A server.` },
)

const REQUESTS_ONCE =
  'Accepted for compatibility and ignored: a request is sent once, and the federation sender retries transactions.'
const IGNORED = {
  max_short_retry_delay: Type.Optional(duration({ description: REQUESTS_ONCE })),
  max_long_retry_delay: Type.Optional(duration({ description: REQUESTS_ONCE })),
  max_short_retries: Type.Optional(Type.Integer({ description: REQUESTS_ONCE })),
  max_long_retries: Type.Optional(Type.Integer({ description: REQUESTS_ONCE })),
}

const fields = {
  trusted_key_servers: Type.Array(trustedServer, {
    description: `The notary servers that are queried for the keys of servers that cannot be reached. A notary server can
impersonate every server that cannot be reached.`,
    default: [{ server_name: 'matrix.org' }],
    examples: [[{ server_name: 'matrix.org' }], []],
  }),
  federation_domain_whitelist: Type.Optional(
    Type.Unsafe<readonly string[] | null>({
      type: ['array', 'null'],
      items: { type: 'string' },
      description: `The servers to federate with; an empty list disables federation. Without this setting, all servers.`,
      takes: 'a list of server names',
      examples: [['example.org', 'example.com']],
    }),
  ),
  federation_domain_denylist: Type.Array(Type.String(), {
    description: `The servers not to federate with. (Synapse has no such setting.)`,
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
    description: `Former signing keys of this server, by key ID: the public key in Base64, and the time when it was last used, in
milliseconds since 1970.`,
    default: {},
    examples: [{ 'ed25519:id': { key: 'base64string', expired_ts: 1_700_000_000_000 } }],
  }),
  federation: group(
    {
      client_timeout: duration({ description: `The timeout of a request to another server.`, default: '60s' }),
      destination_min_retry_interval: duration({
        description: `The first back-off after a server did not answer.`,
        default: '10s',
      }),
      destination_retry_multiplier: Type.Number({
        description: `The factor by which the back-off grows with each failure.`,
        minimum: 1,
        default: 2,
      }),
      destination_max_retry_interval: duration({
        description: `The maximum back-off.`,
        default: '1h',
      }),
      ...IGNORED,
    },
    { description: `Timeouts and back-off of requests to other servers.`, default: {} },
  ),
  key_refresh_interval: duration({
    description: `The validity of the signing key that this server publishes; other servers fetch it again afterwards.`,
    default: '1d',
  }),
}

/** Settings of federation. */
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
