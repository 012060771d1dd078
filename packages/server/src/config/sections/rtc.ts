// SPDX-License-Identifier: Apache-2.0
import type { LivekitSettings, RtcSettings } from '@myelin/kit/settings'
import { type Static, type TObject, Type } from 'typebox'
import { group, path, type Reading, section } from '../values/section.ts'

const fields = {
  matrix_rtc: group(
    {
      transports: Type.Array(Type.Object({ type: Type.String({ minLength: 1 }) }, { additionalProperties: true }), {
        description: `The transports of calls that are announced to clients, in order. The SFU of \`livekit\` needs no entry.`,
        default: [],
        examples: [[{ type: 'livekit', livekit_service_url: 'https://rtc.example.org/livekit/jwt' }]],
      }),
      livekit: Type.Optional(
        group(
          {
            url: Type.String({
              description: `The WebSocket URL at which clients reach the LiveKit SFU.`,
              pattern: '^wss?://',
              takes: 'a URL that starts with ws:// or wss://',
              examples: ['wss://livekit.example.org'],
            }),
            api_url: Type.Optional(
              Type.String({
                description: `The URL at which this server reaches the API of the SFU; by default the one of clients.`,
                pattern: '^https?://',
                takes: 'a URL that starts with http:// or https://',
                examples: ['http://127.0.0.1:7880'],
              }),
            ),
            key: Type.String({ description: `The API key of the SFU.`, minLength: 1, examples: ['myelin'] }),
            secret: Type.Optional(
              Type.String({
                description: `The API secret that belongs to the key.`,
                minLength: 1,
                examples: ['a long random secret of the SFU'],
              }),
            ),
            secret_path: Type.Optional(
              path({
                description: `A file with that secret, instead of the secret itself.`,
                examples: ['/etc/myelin/livekit-secret'],
              }),
            ),
          },
          {
            description: `A LiveKit SFU for which this server issues the tokens of calls. No token service of its own is needed.
(Synapse has no such setting.)`,
          },
        ),
      ),
    },
    { description: `Calls between more than two (MatrixRTC).`, default: {} },
  ),
}

type Values = Static<TObject<typeof fields>>

/** Settings of MatrixRTC. */
export const rtc = section({
  title: 'Calls with MatrixRTC',
  fields,
  read({ matrix_rtc: values }: Values, reading): RtcSettings {
    for (const transport of values.transports as readonly Readonly<Record<string, unknown>>[]) {
      if (transport['type'] !== 'livekit' || transport['url'] || transport['livekit_service_url']) continue
      reading.fault('matrix_rtc.transports', 'of the type livekit need url or livekit_service_url')
    }
    return {
      transports: values.transports,
      livekit: values.livekit && livekitOf(values.livekit, reading),
    }
  },
})

function livekitOf(
  values: NonNullable<Values['matrix_rtc']['livekit']>,
  reading: Reading,
): LivekitSettings | undefined {
  const { url, key, api_url: apiUrl = url.replace(/^ws/, 'http') } = values
  if ((values.secret === undefined) === (values.secret_path === undefined)) {
    reading.fault('matrix_rtc.livekit', 'needs exactly one of secret and secret_path')
    return undefined
  }
  const secret = values.secret ?? reading.fileText('matrix_rtc.livekit.secret_path', values.secret_path ?? '')
  return secret === undefined ? undefined : { url, key, secret, apiUrl: apiUrl.replace(/\/+$/, '') }
}
