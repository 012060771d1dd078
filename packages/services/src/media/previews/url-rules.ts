// SPDX-License-Identifier: Apache-2.0
import type { OEmbedEndpoint, UrlRule } from '@myelin/kit/settings'
import { matchGlob } from '@myelin/matrix/glob'

/** Returns whether a URL matches all parts of one of these rules. */
export function isBlocked(url: URL, rules: readonly UrlRule[]): boolean {
  return rules.some((rule) =>
    [...rule].every(([part, pattern]) => {
      const value = partsOf(url)[part]
      if (value === undefined) return false
      return typeof pattern === 'string' ? matchGlob(pattern, value) : pattern.test(value)
    }),
  )
}

/** Returns the parts of a URL as Python's `urlsplit` names them, which are Synapse's words; absent ones are undefined. */
function partsOf(url: URL): Readonly<Record<string, string | undefined>> {
  const isNamed = url.username !== '' || url.password !== ''
  const authority = isNamed ? `${url.username}${url.password === '' ? '' : `:${url.password}`}@` : ''
  return {
    scheme: url.protocol.slice(0, -1),
    netloc: `${authority}${url.host}`,
    path: url.pathname,
    query: url.search.slice(1),
    fragment: url.hash.slice(1),
    username: isNamed ? url.username : undefined,
    password: url.password === '' ? undefined : url.password,
    hostname: url.hostname,
    port: url.port === '' ? undefined : url.port,
  }
}

/** Returns the URL at which an oEmbed endpoint describes a page; undefined where none is known. */
export function oembedUrlOf(page: URL, endpoints: readonly OEmbedEndpoint[]): URL | undefined {
  const found = endpoints.find(({ schemes }) => schemes.some((scheme) => matchesScheme(page, scheme)))
  const url = found && URL.parse(found.url.replace('{format}', 'json'))
  if (!url) return undefined
  url.searchParams.set('url', page.href)
  url.searchParams.set('format', 'json')
  return url
}

/** A wildcard in the host does not reach into the path, so that no other host can match. */
function matchesScheme(page: URL, scheme: string): boolean {
  const [protocol, rest] = split(scheme, '://')
  const [host, path] = split(rest, '/')
  const isSameProtocol = `${protocol}:` === page.protocol || (protocol === 'http' && page.protocol === 'https:')
  return isSameProtocol && matchGlob(host, page.host) && matchGlob(path, `${page.pathname.slice(1)}${page.search}`)
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at)
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + at.length)]
}
