// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import { group, oneOf, path, type Reading, section } from '../values/section.ts'

/** The resources of a listener. */
export type Resource = (typeof RESOURCES)[number]

const RESOURCES = ['client', 'federation', 'keys', 'openid', 'media', 'metrics', 'health'] as const

/** A port this server listens on. */
export interface Listener {
  readonly port: number
  readonly addresses: readonly string[]
  /** The certificate and its key, if the listener terminates TLS itself. */
  readonly tls: TlsFiles | undefined
  /** `X-Forwarded-For` is trusted. */
  readonly trustsForwarded: boolean
  readonly serves: readonly Resource[]
}

/** The paths of a certificate and its key. */
export interface TlsFiles {
  readonly certificatePath: string
  readonly privateKeyPath: string
}

const listener = group(
  {
    port: Type.Integer({ description: `The port; 0 means any free port.`, minimum: 0, maximum: 65_535 }),
    bind_addresses: Type.Array(Type.String({ minLength: 1 }), {
      description: `The local addresses to listen on; by default all.`,
      default: ['::', '0.0.0.0'],
      minItems: 1,
    }),
    type: oneOf(['http', 'metrics'], {
      description: `\`http\` serves the resources below; \`metrics\` serves metrics only.`,
      default: 'http',
    }),
    tls: Type.Boolean({ description: `Whether the listener terminates TLS itself.`, default: false }),
    x_forwarded: Type.Boolean({
      description: `Whether the X-Forwarded-For header is trusted. Use it only behind a reverse proxy that sets the header.`,
      default: false,
    }),
    resources: Type.Array(
      group(
        {
          names: Type.Array(oneOf(RESOURCES, { description: `The resources to serve.` }), {
            default: [],
            description: `The names of the resources.`,
          }),
          compress: Type.Optional(
            Type.Boolean({ description: `Accepted for compatibility and ignored: let the reverse proxy compress.` }),
          ),
        },
        { description: `The resources to serve.` },
      ),
      {
        description: `The resources to serve: \`client\` (includes \`media\`), \`federation\` (includes \`media\` and \`keys\`),
\`keys\`, \`media\`, \`metrics\`, \`health\` (served by every listener).`,
        default: [{ names: ['client', 'federation'] }],
      },
    ),
  },
  { description: `A port.` },
)

const fields = {
  listeners: Type.Array(listener, {
    description: `The ports to listen on, and the resources that each serves.`,
    default: [{ port: 8008, bind_addresses: ['127.0.0.1'], x_forwarded: true }],
    minItems: 1,
  }),
  tls_certificate_path: Type.Optional(
    path({
      description: `The PEM file with the certificate chain of all listeners with \`tls: true\`.`,
      examples: ['/etc/ssl/example.org.crt'],
    }),
  ),
  tls_private_key_path: Type.Optional(
    path({
      description: `The PEM file with the private key of that certificate.`,
      examples: ['/etc/ssl/example.org.key'],
    }),
  ),
}

/** Settings of listeners. */
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

/** Returns the APIs of a resource, by Synapse's rules: `client` and `federation` include media, and health is everywhere. */
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
