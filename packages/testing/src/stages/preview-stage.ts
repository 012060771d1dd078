// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import type { UrlPreviewSettings } from '@myelin/kit/settings'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import { AddressCheck, PRIVATE_RANGES } from '@myelin/remote/sockets/address-check'
import type { OpenDatabase } from '../databases.ts'
import { testConfig } from '../runtime.ts'
import { testServer } from '../server.ts'
import type { Answer, TestServer } from '../server.ts'
import { transport } from './tls-stage.ts'

const open: Server[] = []
after(() => {
  for (const server of open) {
    server.closeAllConnections()
    server.close()
  }
})

/** A homeserver that makes previews, and a web server on loopback with the pages. */
export interface PreviewStage {
  readonly server: TestServer
  readonly token: string
  readonly clock: StoppedClock
  /** The requests that the web server got, as host and path. */
  readonly requests: string[]
  /** Returns the URL of a page at the host `pages.test`. */
  at(path: string): string
  /** Asks for the preview of a URL. */
  preview(url: string, token?: string): Promise<Answer>
}

/** The responses of the web server by path. */
export type Pages = Readonly<Record<string, RequestListener>>

/** Returns a listener that answers with a body. */
export function page(body: string | Uint8Array, type = 'text/html', status = 200): RequestListener {
  return (_, reply) => {
    reply.writeHead(status, { 'content-type': type })
    reply.end(body)
  }
}

/** Returns a listener that redirects. */
export function redirect(to: string): RequestListener {
  return (_, reply) => reply.writeHead(302, { location: to }).end('moved')
}

/** Starts a web server on loopback with these pages, and returns its port and the requests that it gets. */
export async function servePages(pages: Pages): Promise<{ readonly port: number; readonly requests: string[] }> {
  const requests: string[] = []
  const web = createServer((request, reply) => {
    requests.push(`${request.headers.host?.split(':')[0] ?? ''}${request.url ?? ''}`)
    const answer = pages[request.url?.split('?')[0] ?? '']
    if (answer) answer(request, reply)
    else reply.writeHead(404).end()
  })
  open.push(web)
  await new Promise<void>((resolve) => void web.listen(0, '127.0.0.1', resolve))
  return { port: (web.address() as AddressInfo).port, requests }
}

/**
 * Starts both. `pages.test` and `other.test` resolve to loopback, where the web server listens at the allowed address 127.0.0.1;
 * `inside.test` resolves to 127.0.0.2, which is not allowed.
 */
export async function previewStage(
  openDatabase: OpenDatabase | undefined,
  pages: Pages,
  settings: Partial<UrlPreviewSettings> = {},
): Promise<PreviewStage> {
  const { port, requests } = await servePages(pages)
  // Ages of files count in the time of the machine.
  const clock = new StoppedClock(Date.now())
  const hosts = { 'pages.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'], 'inside.test': ['127.0.0.2'] }
  const allowed = new AddressCheck(PRIVATE_RANGES, ['127.0.0.1/32'])
  const tls = { authorities: undefined, minVersion: 'TLSv1.2', verifies: () => true } as const
  const server = await testServer(
    openDatabase,
    { urlPreviews: { ...testConfig.urlPreviews, ...settings } },
    {
      clock,
      transport: transport({ hosts }, { clock, addresses: new AddressCheck(), previews: { addresses: allowed, tls } }),
    },
  )
  const { token } = await server.register('alice')
  return {
    server,
    token,
    clock,
    requests,
    at: (path) => `http://pages.test:${port}${path}`,
    preview: (url, by = token) =>
      server.call('GET', `/_matrix/client/v1/media/preview_url?url=${encodeURIComponent(url)}`, { token: by }),
  }
}
