// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path'
import { type Static, type TObject, Type } from 'typebox'
import type { Reading } from '../values/section.ts'
import { duration, group, path, section, size } from '../values/section.ts'
import { serverNameFault } from '../values/server-name.ts'
import { readSigningKeys, SigningKeyError } from '../values/signing-key.ts'
import { durationMs, sizeBytes } from '../values/units.ts'

const fields = {
  server_name: Type.String({
    description: `The server name: the part after the colon in user IDs. It cannot be changed once the server has been used. It
may differ from the host name: see docs/reverse-proxy.md.`,
    takes: 'a host name',
    examples: ['example.org'],
  }),
  public_baseurl: Type.Optional(
    Type.String({
      description: `The URL at which clients reach this server. If it is set, /.well-known/matrix/client publishes it. The default
is https:// and the server name.`,
      pattern: '^https?://[^/?#]+(/[^?#]*)?$',
      takes: 'an address that starts with https:// or http://',
      examples: ['https://matrix.example.org/'],
    }),
  ),
  serve_server_wellknown: Type.Boolean({
    description: `Whether /.well-known/matrix/server is served and directs other servers to port 443.`,
    default: false,
  }),
  extra_well_known_client_content: Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    description: `Further members of /.well-known/matrix/client.`,
    default: {},
    examples: [{ 'org.example.support': 'https://example.org/help' }],
  }),
  policy_server_public_keys: Type.Optional(
    Type.Unsafe<Readonly<Record<string, string>>>({
      type: 'object',
      properties: { ed25519: { type: 'string' } },
      required: ['ed25519'],
      additionalProperties: { type: 'string' },
      description: `The public keys, in Base64, of a policy server with this server name; /.well-known/matrix/policy_server
publishes them. (Synapse has no such setting.)`,
      examples: [{ ed25519: 'base64string' }],
    }),
  ),
  signing_key_path: Type.Optional(
    path({
      description: `The file with the signing key of this server. Further keys, one a line, are published as well; the first one
signs. The default is SERVERNAME.signing.key, beside the first configuration file. Back it up: it is the
identity of this server.`,
      examples: ['example.org.signing.key'],
    }),
  ),
  key_server_signing_keys_path: Type.Optional(
    path({
      description: `The file with additional keys that sign this server's answers as a notary server, for servers that list it in
\`trusted_key_servers\` with keys of its own.`,
      examples: ['key_server_signing_keys.key'],
    }),
  ),
  admin_contact: Type.Optional(
    Type.String({
      description: `The contact of the admin, published in /.well-known/matrix/support.`,
      examples: ['mailto:admin@example.org'],
    }),
  ),
  max_event_delay_duration: duration({
    description: `The longest time by which clients may delay an event that they send; calls use
delayed events to remove participants whose clients have died. 0 disables them, which is Synapse's default.`,
    default: '24h',
  }),
  presence: group(
    { enabled: Type.Boolean({ description: `Whether presence is enabled.`, default: true }) },
    { description: `Settings of presence.`, default: {} },
  ),
  max_request_body_size: size({
    description: `The maximum size of a request body. Uploads of media have a limit of their own. (Synapse has no such setting.)`,
    default: '16M',
  }),
}

/** The most delayed events of one user. */
const MAX_DELAYED_EVENTS = 100

/** Settings of the server itself: its name, its URL, its admin contact. */
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
