// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import { group, oneOf, path, type Reading, section } from '../section.ts'

/** What a listener can serve. */
export type Resource = (typeof RESOURCES)[number]

const RESOURCES = ['client', 'federation', 'keys', 'openid', 'media', 'metrics', 'health'] as const

/** A port this server listens on. */
export interface Listener {
  readonly port: number
  readonly addresses: readonly string[]
  /** The certificate and its key, if this listener speaks TLS itself. */
  readonly tls: TlsFiles | undefined
  /** Whether X-Forwarded-For is believed. */
  readonly trustsForwarded: boolean
  readonly serves: readonly Resource[]
}

/** Where the certificate and its key lie. */
export interface TlsFiles {
  readonly certificatePath: string
  readonly privateKeyPath: string
}

const listener = group(
  {
    port: Type.Integer({ description: `The port; 0 takes any that is free.`, minimum: 0, maximum: 65_535 }),
    bind_addresses: Type.Array(Type.String({ minLength: 1 }), {
      description: `The addresses of this machine to listen on; without them, all.`,
      default: ['::', '0.0.0.0'],
      minItems: 1,
    }),
    type: oneOf(['http', 'metrics'], { description: `\`metrics\` serves nothing but those.`, default: 'http' }),
    tls: Type.Boolean({ description: `Whether this listener speaks TLS itself.`, default: false }),
    x_forwarded: Type.Boolean({
      description: `Whether to believe the X-Forwarded-For header: only behind a reverse proxy that sets it.`,
      default: false,
    }),
    resources: Type.Array(
      group(
        {
          names: Type.Array(oneOf(RESOURCES, { description: `What is served.` }), {
            default: [],
            description: `See above.`,
          }),
          compress: Type.Optional(Type.Boolean({ description: `Taken from Synapse; a reverse proxy does it better.` })),
        },
        { description: `What is served.` },
      ),
      {
        description: `What is served: \`client\` (which includes media), \`federation\` (likewise), \`keys\`
(which \`federation\` includes), \`media\`, \`metrics\`, \`health\` (which is served by every listener).`,
        default: [{ names: ['client', 'federation'] }],
      },
    ),
  },
  { description: `A port.` },
)

const fields = {
  listeners: Type.Array(listener, {
    description: `The ports to listen on, and what each serves.`,
    default: [{ port: 8008, bind_addresses: ['127.0.0.1'], x_forwarded: true }],
    minItems: 1,
  }),
  tls_certificate_path: Type.Optional(
    path({
      description: `The certificate chain, in PEM, of every listener with \`tls: true\`.`,
      examples: ['/etc/ssl/example.org.crt'],
    }),
  ),
  tls_private_key_path: Type.Optional(
    path({ description: `The key of that certificate, in PEM.`, examples: ['/etc/ssl/example.org.key'] }),
  ),
}

/** Where this server listens. */
export const listeners = section({
  title: 'Listeners',
  fields,
  read(values, reading) {
    const tls = values.listeners.some((one) => one.tls) ? tlsFilesOf(values, reading) : undefined
    return values.listeners.map((one): Listener => {
      if (one.resources.some((resource) => resource.compress)) {
        reading.notice('listeners: compress is ignored; let the reverse proxy compress')
      }
      return {
        port: one.port,
        addresses: one.bind_addresses,
        tls: one.tls ? tls : undefined,
        trustsForwarded: one.x_forwarded,
        serves: servedBy(one),
      }
    })
  },
})

/** Synapse's rules: the client API brings media along, federation too, and health is everywhere. */
function servedBy({ type, resources }: Static<typeof listener>): readonly Resource[] {
  if (type === 'metrics') return ['metrics', 'health']
  const served = new Set<Resource>(resources.flatMap((resource) => resource.names))
  if (served.has('client') || served.has('federation')) served.add('media')
  return [...served.add('health')]
}

interface TlsPaths {
  readonly tls_certificate_path?: string
  readonly tls_private_key_path?: string
}

function tlsFilesOf(values: TlsPaths, reading: Reading): TlsFiles | undefined {
  const { tls_certificate_path: certificatePath, tls_private_key_path: privateKeyPath } = values
  if (certificatePath) reading.fileText('tls_certificate_path', certificatePath)
  else reading.fault('tls_certificate_path', 'is missing, and a listener has tls: true')
  if (privateKeyPath) reading.fileText('tls_private_key_path', privateKeyPath)
  else reading.fault('tls_private_key_path', 'is missing, and a listener has tls: true')
  if (!certificatePath || !privateKeyPath) return undefined
  return { certificatePath: resolve(certificatePath), privateKeyPath: resolve(privateKeyPath) }
}
