// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { Runtime } from '../../runtime/runtime.ts'
import { discard, failed, fetchPage, readStart } from './fetch-page.ts'
import type { FetchedPage, Fetching } from './fetch-page.ts'
import { MAX_OEMBED_BYTES, readOEmbed } from './oembed.ts'
import type { OEmbedDraft } from './oembed.ts'
import { draftOf } from './open-graph.ts'
import type { Draft } from './open-graph.ts'
import type { PageFacts } from './page-facts.ts'
import { keepImage } from './preview-image.ts'
import { readHtml } from './read-html.ts'
import { oembedUrlOf } from './url-rules.ts'

/** The parts of the runtime with which previews are made. */
export type PreviewNeeds = Pick<
  Runtime,
  'db' | 'blobs' | 'clock' | 'random' | 'config' | 'serverName' | 'remote' | 'previews' | 'limits'
>

/** A preview, and how long it may be kept, in milliseconds. */
export interface MadePreview {
  readonly properties: Readonly<Record<string, string | number>>
  readonly keptMs: number
}

type Making = Fetching & { readonly rt: PreviewNeeds }

/** The time for everything that is fetched for one preview. */
const FETCH_MS = 30_000
/** The beginning of a page that is read, in bytes. */
const MAX_PAGE_BYTES = 2 * 1024 * 1024
const KEPT_MS = 3_600_000
const MAX_KEPT_MS = 24 * KEPT_MS
const MAX_IMAGES_TRIED = 2
const MAX_PROPERTIES = 60
const MAX_VALUE = 1000

const HTML = ['text/html', 'application/xhtml']
const JSON_TYPES = ['application/json', 'text/javascript']
const IMAGES = ['image/']

/**
 * Fetches a page and returns its preview. Parts besides the page (image, oEmbed document) may fail without failing the preview.
 *
 * @throws MatrixError as `fetchPage`
 */
export async function makePreview(rt: PreviewNeeds, url: URL): Promise<MadePreview> {
  const making: Making = { rt, deadlineTs: rt.clock.now() + FETCH_MS }
  const endpoint = oembedUrlOf(url, rt.config.urlPreviews.oembedEndpoints)
  const embedded = endpoint && (await unlessFailed(fetchOEmbed(making, endpoint, url)))
  if (embedded) return finished(making, embedded, url, embedded.cacheMs)
  const page = await fetchPage(making, url, [...HTML, ...IMAGES])
  if (page.type.startsWith('image/')) return previewOfImage(making, page)
  const { maxBytes } = rt.config.urlPreviews
  const facts = await readHtml(await readStart(page, Math.min(MAX_PAGE_BYTES, maxBytes)), page.charset)
  const base = URL.parse(facts.baseUrl ?? '', page.url.href) ?? page.url
  const { draft, cacheMs } = await withOEmbed(making, facts, { page: url, base })
  return finished(making, draft, base, cacheMs)
}

async function previewOfImage({ rt }: Making, page: FetchedPage): Promise<MadePreview> {
  const named = page.fileName === undefined ? [] : [['og:description', page.fileName] as const]
  try {
    return { properties: propertiesOf([...named, ...(await keepImage(rt, page))]), keptMs: KEPT_MS }
  } catch (cause) {
    const isOfImage = cause instanceof MatrixError && cause.code !== 'M_LIMIT_EXCEEDED'
    throw isOfImage ? failed('the image is too large or cannot be read', cause) : cause
  }
}

/** Adds to the draft of a page what its oEmbed document says, which counts more. */
async function withOEmbed(
  making: Making,
  facts: PageFacts,
  { page, base }: { readonly page: URL; readonly base: URL },
): Promise<{ readonly draft: Draft; readonly cacheMs: number | undefined }> {
  const draft = draftOf(facts)
  const link = facts.oembed === undefined ? undefined : URL.parse(facts.oembed, base.href)
  const embedded = link ? await unlessFailed(fetchOEmbed(making, link, page)) : undefined
  if (!embedded) return { draft, cacheMs: undefined }
  const properties = new Map([...draft.properties, ...embedded.properties])
  if (!properties.has('og:title') && embedded.author !== undefined) properties.set('og:title', embedded.author)
  return { draft: { properties, images: [...embedded.images, ...draft.images] }, cacheMs: embedded.cacheMs }
}

async function fetchOEmbed(making: Making, endpoint: URL, page: URL): Promise<OEmbedDraft> {
  const document = await fetchPage(making, endpoint, JSON_TYPES)
  const embedded = await readOEmbed(await readStart(document, MAX_OEMBED_BYTES), page)
  if (!embedded) throw failed('the oEmbed document is malformed')
  const { properties, author } = embedded
  if (!properties.has('og:title') && author !== undefined) properties.set('og:title', author)
  return embedded
}

async function finished(
  making: Making,
  { properties, images }: Draft,
  base: URL,
  cacheMs: number | undefined,
): Promise<MadePreview> {
  const image = await firstImage(making, images, base)
  const keptMs = Math.min(cacheMs ?? KEPT_MS, MAX_KEPT_MS)
  return { properties: propertiesOf([...properties, ...(image ?? [])]), keptMs }
}

/** Returns the properties of the first of these images that can be stored. */
async function firstImage(
  making: Making,
  images: readonly string[],
  base: URL,
): Promise<Map<string, string | number> | undefined> {
  for (const each of images.slice(0, MAX_IMAGES_TRIED)) {
    const url = URL.parse(each, base.href)
    const kept = url ? await unlessFailed(fetchImage(making, url)) : undefined
    if (kept) return kept
  }
  return undefined
}

async function fetchImage(making: Making, url: URL): Promise<Map<string, string | number>> {
  const image = await fetchPage(making, url, IMAGES)
  try {
    return await keepImage(making.rt, image)
  } catch (cause) {
    await discard(image)
    throw cause
  }
}

/** Returns undefined for a failure of another server, and throws the others. */
async function unlessFailed<T>(task: Promise<T>): Promise<T | undefined> {
  try {
    return await task
  } catch (cause) {
    if (cause instanceof MatrixError) return undefined
    throw cause
  }
}

function propertiesOf(entries: readonly (readonly [string, string | number])[]): Record<string, string | number> {
  const bounded = entries.filter(([, value]) => typeof value === 'number' || value.length <= MAX_VALUE)
  return Object.fromEntries(bounded.slice(-MAX_PROPERTIES))
}
