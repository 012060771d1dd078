// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/** A web server of files on loopback. */
export interface Pages {
  readonly url: string
  close(): void
}

/**
 * Serves our pages under `/`, Element Call under `/element-call/`, the npm packages under `/npm/`. `texts` are files by
 * path that stand in for those on the disk.
 */
export async function servePages(packages: string, texts: ReadonlyMap<string, string>): Promise<Pages> {
  const roots: readonly (readonly [string, string])[] = [
    ['/element-call/', join(packages, '@element-hq', 'element-call-embedded', 'dist')],
    ['/npm/', packages],
    ['/', join(import.meta.dirname, 'pages')],
  ]
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://pages').pathname))
    const [prefix, folder] = roots.find(([start]) => path.startsWith(start)) ?? ['/', '']
    const text = texts.get(path)
    const content = text === undefined ? readFile(join(folder, path.slice(prefix.length))) : Promise.resolve(text)
    content.then(
      (found) => response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream').end(found),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() }
}
