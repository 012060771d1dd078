// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path'
import { ROOM_VERSIONS } from '@myelin/rules/room-versions'
import { type Static, type TObject, Type } from 'typebox'
import type { Reading } from '../section.ts'
import { duration, group, path, section, size } from '../section.ts'
import { serverNameFault } from '../server-name.ts'
import { readSigningKeys, SigningKeyError } from '../signing-key.ts'
import { durationMs, sizeBytes } from '../units.ts'

const fields = {
  server_name: Type.String({
    description: `The name of this server: what stands after the colon in its users' ids. It cannot be changed once the
server has been used. It need not be the name of the machine: see docs/reverse-proxy.md.`,
    says: 'a host name',
    examples: ['example.org'],
  }),
  public_baseurl: Type.Optional(
    Type.String({
      description: `The address at which clients reach this server. When it is given, /.well-known/matrix/client tells it
to clients. Without it, https:// and the server name are taken.`,
      pattern: '^https?://[^/?#]+(/[^?#]*)?$',
      says: 'an address that starts with https:// or http://',
      examples: ['https://matrix.example.org/'],
    }),
  ),
  serve_server_wellknown: Type.Boolean({
    description: `Whether /.well-known/matrix/server says that other servers find this one on port 443.`,
    default: false,
  }),
  extra_well_known_client_content: Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    description: `What /.well-known/matrix/client says besides the address of this server.`,
    default: {},
    examples: [{ 'org.example.support': 'https://example.org/help' }],
  }),
  policy_server_public_keys: Type.Optional(
    Type.Unsafe<Readonly<Record<string, string>>>({
      type: 'object',
      properties: { ed25519: { type: 'string' } },
      required: ['ed25519'],
      additionalProperties: { type: 'string' },
      description: `The public keys, in Base64, of a policy server at this name, for
/.well-known/matrix/policy_server to tell. (Synapse has no such setting.)`,
      examples: [{ ed25519: 'base64string' }],
    }),
  ),
  signing_key_path: Type.Optional(
    path({
      description: `The file with the key that signs what this server says, and with others that are to be
published as well, one in a line: the first one signs. Without this setting it is
SERVERNAME.signing.key, beside the first configuration file. Keep a copy of it: it is this server's identity.`,
      examples: ['example.org.signing.key'],
    }),
  ),
  key_server_signing_keys_path: Type.Optional(
    path({
      description: `The file with keys that sign what this server says about the keys of others, besides its own keys:
for servers that are asked as \`trusted_key_servers\` under keys of their own.`,
      examples: ['key_server_signing_keys.key'],
    }),
  ),
  admin_contact: Type.Optional(
    Type.String({
      description: `Who to turn to about this server; shown where a limit of the server is met.`,
      examples: ['mailto:admin@example.org'],
    }),
  ),
  default_room_version: Type.Unsafe<string | number>({
    type: ['string', 'integer'],
    description: `The version of rooms whose creator asks for none.`,
    says: 'a room version',
    default: '12',
  }),
  max_event_delay_duration: duration({
    description: `The longest time by which clients may delay an event that they send; calls need delayed events so that nobody
seems to stay in a call whose client has died. 0 disables them, which is Synapse's default.`,
    default: '24h',
  }),
  presence: group(
    { enabled: Type.Boolean({ description: `Whether this server tells who is online.`, default: true }) },
    { description: `Who is online.`, default: {} },
  ),
  max_request_body_size: size({
    description: `The longest body a request may have; uploads of media have a limit of their own. (Synapse has no such
setting.)`,
    default: '16M',
  }),
}

/** The most delayed events of one user. */
const MAX_DELAYED_EVENTS = 100

/** Who this server is. */
export const server = section({
  title: 'Server',
  fields,
  read(values, reading) {
    const { server_name: serverName, public_baseurl: publicBaseUrl = `https://${serverName}/` } = values
    const nameFault = serverNameFault(serverName)
    if (nameFault !== undefined) reading.fault('server_name', nameFault)
    return {
      serverName,
      baseUrl: publicBaseUrl.endsWith('/') ? publicBaseUrl : `${publicBaseUrl}/`,
      adminContact: values.admin_contact,
      server: {
        signingKeyPath: signingKeyPathOf(values, reading),
        notaryKeysPath: notaryKeysPathOf(values, reading),
        maxRequestBodyBytes: sizeBytes(values.max_request_body_size),
      },
      rooms: { defaultVersion: roomVersionOf(values.default_room_version, reading) },
      delayedEvents: {
        maxDelayMs: durationMs(values.max_event_delay_duration),
        maxPerUser: MAX_DELAYED_EVENTS,
      },
      presence: { isEnabled: values.presence.enabled },
      wellKnown: {
        servesServer: values.serve_server_wellknown,
        servesClient: values.public_baseurl !== undefined,
        extraClientContent: values.extra_well_known_client_content,
        policyServerKeys: values.policy_server_public_keys,
      },
    }
  },
})

function roomVersionOf(value: string | number, reading: Reading): string {
  const version = String(value)
  if (!ROOM_VERSIONS.has(version)) {
    reading.fault('default_room_version', `must be one of ${[...ROOM_VERSIONS.keys()].join(', ')}`)
  }
  return version
}

function signingKeyPathOf(values: Static<TObject<typeof fields>>, reading: Reading): string {
  const given = values.signing_key_path
  const keyPath = given ? resolve(given) : resolve(join(reading.folder, `${values.server_name}.signing.key`))
  checkKeyFile('signing_key_path', keyPath, reading)
  return keyPath
}

function notaryKeysPathOf(values: Static<TObject<typeof fields>>, reading: Reading): string | undefined {
  const key = 'key_server_signing_keys_path'
  const given = values[key]
  if (given === undefined) return undefined
  checkKeyFile(key, resolve(given), reading)
  return resolve(given)
}

function checkKeyFile(key: string, keyPath: string, reading: Reading): void {
  try {
    readSigningKeys(keyPath)
  } catch (error) {
    if (!(error instanceof SigningKeyError)) throw error
    reading.fault(key, error.message)
  }
}
