// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { type OEmbedEndpoint, URL_PARTS, type UrlPreviewSettings, type UrlRule } from '@myelin/kit/settings'
import { isRange, PRIVATE_RANGES } from '@myelin/remote/sockets/address-check'
import { type Static, type TObject, Type } from 'typebox'
import { group, path, type Reading, section, size } from '../values/section.ts'
import { sizeBytes } from '../values/units.ts'

const Ranges = (description: string, examples: readonly unknown[]) =>
  Type.Array(Type.String(), { description, takes: 'a list of addresses and ranges', examples })

const fields = {
  url_preview_enabled: Type.Boolean({
    description: `Whether users get previews of web pages. The server fetches pages that users name, so
\`url_preview_ip_range_blacklist\` must be set, too.`,
    default: false,
  }),
  url_preview_ip_range_blacklist: Type.Optional(
    Ranges(
      `The addresses that pages are not fetched from, whichever host name resolves to them. Required unless a proxy is set.
0.0.0.0/8 and :: are always refused.`,
      [PRIVATE_RANGES],
    ),
  ),
  url_preview_ip_range_whitelist: Type.Array(Type.String(), {
    description: `Exceptions from \`url_preview_ip_range_blacklist\`.`,
    default: [],
    takes: 'a list of addresses and ranges',
    examples: [['192.168.1.1/32']],
  }),
  url_preview_url_blacklist: Type.Array(
    Type.Object(
      Object.fromEntries(URL_PARTS.map((part) => [part, Type.Optional(Type.Union([Type.String(), Type.Integer()]))])),
      { additionalProperties: false },
    ),
    {
      description: `The URLs that are not fetched, also not as the target of a redirect. An entry matches where all of its
parts match: \`scheme\`, \`netloc\`, \`path\`, \`query\`, \`fragment\`, \`username\`, \`password\`, \`hostname\`, \`port\`. A value
is a glob, or a regular expression if it begins with \`^\`.`,
      default: [],
      examples: [[{ username: '*' }, { netloc: 'google.com' }, { netloc: '^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$' }]],
    },
  ),
  max_spider_size: size({
    description: `The maximum size of an image that is fetched for a preview. Of a page the first 2 MiB are read, or this size if it is
less.`,
    default: '10M',
  }),
  url_preview_accept_language: Type.Array(Type.String({ pattern: '^[\\x20-\\x7e]*$' }), {
    description: `The languages in which pages are requested, as entries of the header \`Accept-Language\`.`,
    default: ['en'],
    examples: [['en-UK', 'en-US;q=0.9', 'fr;q=0.8', '*;q=0.7']],
  }),
  oembed: group(
    {
      disable_default_providers: Type.Boolean({
        description: `Whether the endpoints that Myelin knows are not used.`,
        default: false,
      }),
      additional_providers: Type.Array(path({ description: `A file.` }), {
        description: `JSON files with further providers, in the form of the list at oembed.com.`,
        default: [],
      }),
    },
    { description: `The sites whose previews are asked of an oEmbed endpoint in place of the page.`, default: {} },
  ),
}

type Values = Static<TObject<typeof fields>>

/** Settings of URL previews. */
export const urlPreviews = section({
  title: 'URL previews',
  fields,
  read(values: Values, reading: Reading): UrlPreviewSettings {
    return {
      isEnabled: values.url_preview_enabled,
      maxBytes: sizeBytes(values.max_spider_size),
      languages: values.url_preview_accept_language,
      blockedUrls: values.url_preview_url_blacklist.map((entry, at) => ruleOf(entry as Entry, at, reading)),
      oembedEndpoints: [
        ...(values.oembed.disable_default_providers ? [] : KNOWN_ENDPOINTS),
        ...values.oembed.additional_providers.flatMap((file) => endpointsIn(file, reading)),
      ],
      addresses: {
        blocked: blockedOf(values, reading),
        allowed: rangesOf('url_preview_ip_range_whitelist', values.url_preview_ip_range_whitelist, reading),
      },
    }
  },
})

/** The sites whose pages have no metadata for previews without a browser. Others are found by their links. */
const KNOWN_ENDPOINTS: readonly OEmbedEndpoint[] = [
  {
    schemes: ['https://x.com/*/status/*', 'https://*.x.com/*/status/*'],
    url: 'https://publish.x.com/oembed',
  },
  {
    schemes: ['https://twitter.com/*/status/*', 'https://*.twitter.com/*/status/*'],
    url: 'https://publish.twitter.com/oembed',
  },
  {
    schemes: ['https://*.youtube.com/watch*', 'https://*.youtube.com/shorts/*', 'https://youtu.be/*'],
    url: 'https://www.youtube.com/oembed',
  },
]

type Entry = Readonly<Record<string, string | number>>

function blockedOf(values: Values, reading: Reading): readonly string[] {
  const key = 'url_preview_ip_range_blacklist'
  const ranges = values[key]
  if (ranges) return rangesOf(key, ranges, reading)
  const isProxied = reading.isGiven('https_proxy') || reading.environment('https_proxy') !== undefined
  if (values.url_preview_enabled && !isProxied) {
    reading.fault(key, 'must be set, because url_preview_enabled lets users choose what the server connects to')
  }
  return PRIVATE_RANGES
}

function rangesOf(setting: string, ranges: readonly string[], reading: Reading): readonly string[] {
  for (const [index, range] of ranges.entries()) {
    if (!isRange(range)) reading.fault(`${setting}[${index}]`, 'must be an address, or a range like 10.0.0.0/8')
  }
  return ranges
}

function ruleOf(entry: Entry, at: number, reading: Reading): UrlRule {
  const rule = new Map<(typeof URL_PARTS)[number], string | RegExp>()
  for (const part of URL_PARTS) {
    const pattern = entry[part]
    if (pattern !== undefined) {
      rule.set(part, patternOf(String(pattern), `url_preview_url_blacklist[${at}].${part}`, reading))
    }
  }
  // A rule without parts would block every URL.
  if (rule.size === 0) reading.fault(`url_preview_url_blacklist[${at}]`, 'must name a part of a URL')
  return rule
}

function patternOf(pattern: string, key: string, reading: Reading): string | RegExp {
  if (!pattern.startsWith('^')) return pattern
  try {
    return new RegExp(pattern, 'u')
  } catch {
    reading.fault(key, 'must be a glob, or a regular expression that begins with ^')
    return pattern
  }
}

interface Provider {
  readonly endpoints: readonly { readonly schemes?: unknown; readonly formats?: unknown; readonly url?: unknown }[]
}

function endpointsIn(file: string, reading: Reading): OEmbedEndpoint[] {
  const key = 'oembed.additional_providers'
  const text = reading.fileText(key, resolve(file))
  if (text === undefined) return []
  try {
    const providers = JSON.parse(text) as readonly Provider[]
    return providers.flatMap((provider) => provider.endpoints.flatMap(endpointOf))
  } catch {
    reading.fault(key, `names ${file}, which is no list of oEmbed providers`)
    return []
  }
}

function endpointOf({ schemes, formats, url }: Provider['endpoints'][number]): OEmbedEndpoint[] {
  if (typeof url !== 'string' || !URL.canParse(url)) throw new TypeError('an endpoint has no URL')
  const isJson = !url.endsWith('.xml') && (!Array.isArray(formats) || formats.includes('json'))
  if (!isJson || !Array.isArray(schemes)) return []
  return [{ schemes: schemes.map(String), url }]
}
