// SPDX-License-Identifier: Apache-2.0
import { isObject, member, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { Draft } from './open-graph.ts'
import { readHtml } from './read-html.ts'

/** The description of a page in an oEmbed document. */
export interface OEmbedDraft extends Draft {
  /** The author, who stands in for a missing title. */
  readonly author: string | undefined
  /** How long the document may be kept, in milliseconds. */
  readonly cacheMs: number | undefined
}

/** The largest oEmbed document that is read, in bytes. */
export const MAX_OEMBED_BYTES = 256 * 1024
const MAX_TEXT = 1000

/**
 * Returns the draft of a preview from an oEmbed document; undefined where the bytes are none.
 *
 * @param page the URL of the page that it describes
 * @see https://oembed.com/#section2.3
 */
export async function readOEmbed(bytes: Uint8Array, page: URL): Promise<OEmbedDraft | undefined> {
  const said = objectIn(bytes)
  if (!said || !['1.0', 1, undefined].includes(member(said, 'version') as string | number | undefined)) return undefined
  const properties = new Map<string, string | number>([['og:url', page.href]])
  put(properties, 'og:title', textIn(said, 'title'))
  put(properties, 'og:site_name', textIn(said, 'provider_name'))
  const images = [stringMember(said, 'thumbnail_url')]
  const type = member(said, 'type')
  if (type === 'photo') images.unshift(stringMember(said, 'url'))
  if (type === 'link') properties.set('og:type', 'website')
  if (type === 'video') {
    properties.set('og:type', 'video.other')
    put(properties, 'og:video:width', integerIn(said, 'width'))
    put(properties, 'og:video:height', integerIn(said, 'height'))
  }
  if (type === 'rich' || type === 'video') images.push(await readInner(stringMember(said, 'html') ?? '', properties))
  const seconds = Number(member(said, 'cache_age'))
  return {
    properties,
    images: images.filter((url) => url !== undefined),
    author: textIn(said, 'author_name'),
    cacheMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined,
  }
}

/** Takes up the text and the video of a document's HTML; returns its first image. */
async function readInner(html: string, properties: Map<string, string | number>): Promise<string | undefined> {
  const facts = await readHtml(Buffer.from(html), 'utf-8')
  put(properties, 'og:video', facts.video)
  put(properties, 'og:description', facts.summary)
  return facts.firstImage
}

function put(into: Map<string, string | number>, name: string, value: string | number | undefined): void {
  if (value !== undefined && value !== '') into.set(name, value)
}

function textIn(said: JsonObject, name: string): string | undefined {
  const text = stringMember(said, name)
  return text !== undefined && text.length <= MAX_TEXT ? text : undefined
}

function integerIn(said: JsonObject, name: string): number | undefined {
  const value = member(said, name)
  return Number.isSafeInteger(value) ? (value as number) : undefined
}

function objectIn(bytes: Uint8Array): JsonObject | undefined {
  try {
    const said = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return isObject(said) ? said : undefined
  } catch (cause) {
    if (cause instanceof MatrixError || cause instanceof TypeError) return undefined
    throw cause
  }
}
