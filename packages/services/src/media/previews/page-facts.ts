// SPDX-License-Identifier: Apache-2.0
import { summaryOf } from './summary.ts'

/** An image of a page, with its size in CSS pixels, 0 if the page does not name it. */
export interface PageImage {
  readonly src: string
  readonly area: number
}

/** The facts for a preview that one element of a page states. Attributes come from outside. */
type Attributes = Readonly<Record<string, string>>

const MAX_TAGS = 50
const MAX_NAME = 50
const MAX_VALUE = 1000
const MAX_URL = 4096
/** The text of a page that is kept, in characters. */
const MAX_TEXT = 4000
const MIN_IMAGE_SIDE = 10

/** Collects the facts of a page: its metadata, and what stands in their place where they are missing. All are bounded. */
export class PageFacts {
  /** Open Graph properties. The first of a name counts. */
  readonly openGraph = new Map<string, string>()
  /** Twitter's properties, under the names of Open Graph. */
  readonly twitter = new Map<string, string>()
  title = ''
  heading = ''
  description: string | undefined
  microdataImage: string | undefined
  largestImage: PageImage | undefined
  firstImage: string | undefined
  icon: string | undefined
  video: string | undefined
  /** The URL of the page's oEmbed document. */
  oembed: string | undefined
  /** The URL that relative ones refer to. */
  baseUrl: string | undefined
  charset: string | undefined
  readonly paragraphs: string[] = []
  #paragraph = ''
  #textLength = 0

  /** The metadata make a preview without the text of the page. */
  get isComplete(): boolean {
    return ['og:title', 'og:description', 'og:image'].every((name) => this.openGraph.has(name))
  }

  /** Returns the beginning of the page's text. */
  get summary(): string | undefined {
    this.endParagraph()
    return summaryOf(this.paragraphs)
  }

  /** Takes up an element by its name. */
  element(name: string, said: Attributes): void {
    if (name === 'meta') this.#meta(said)
    else if (name === 'link') this.#link(said)
    else if (name === 'img') this.#image(said)
    else if (name === 'base') this.baseUrl ??= urlIn(said, 'href')
    else if (name === 'video' || name === 'embed') this.video ??= urlIn(said, 'src')
  }

  /** Takes up text that is shown. */
  text(text: string): void {
    if (this.#textLength >= MAX_TEXT) return
    const part = text.slice(0, MAX_TEXT - this.#textLength)
    this.#textLength += part.length
    this.#paragraph += part
  }

  /** Ends a paragraph. */
  endParagraph(): void {
    if (this.#paragraph.trim() !== '') this.paragraphs.push(this.#paragraph)
    this.#paragraph = ''
  }

  #meta(said: Attributes): void {
    this.charset ??= own(said, 'charset') ?? charsetIn(said)
    const content = own(said, 'content')
    if (content === undefined || content.trim() === '') return
    const name = (own(said, 'property') ?? own(said, 'name') ?? '').trim()
    if (/^(?:og|article|profile):/.test(name)) keep(this.openGraph, name, content)
    else if (name.startsWith('twitter:')) this.#twitter(name.slice('twitter:'.length), content)
    else if (name.toLowerCase() === 'description') this.description ??= content.slice(0, MAX_TEXT)
    if (own(said, 'itemprop')?.toLowerCase() === 'image') this.microdataImage ??= urlIn(said, 'content')
  }

  #twitter(name: string, content: string): void {
    if (name === 'card' || name === 'creator') return
    keep(this.twitter, name === 'site' ? 'og:site_name' : `og:${name}`, content)
  }

  #link(said: Attributes): void {
    const relations = (own(said, 'rel') ?? '').slice(0, 200).toLowerCase().split(' ')
    // Some sites write `alternative`.
    const isOther = relations.includes('alternate') || relations.includes('alternative')
    if (isOther && own(said, 'type') === 'application/json+oembed') this.oembed ??= urlIn(said, 'href')
    if (relations.includes('icon')) this.icon ??= urlIn(said, 'href')
  }

  #image(said: Attributes): void {
    const src = urlIn(said, 'src')
    if (src === undefined) return
    this.firstImage ??= src
    const [width, height] = [Number(own(said, 'width')), Number(own(said, 'height'))]
    if (!(width > MIN_IMAGE_SIDE && height > MIN_IMAGE_SIDE)) return
    if (width * height > (this.largestImage?.area ?? 0)) this.largestImage = { src, area: width * height }
  }
}

function keep(into: Map<string, string>, name: string, content: string): void {
  if (name.length > MAX_NAME || content.length > MAX_VALUE || into.size >= MAX_TAGS || into.has(name)) return
  into.set(name, content)
}

function own(said: Attributes, name: string): string | undefined {
  return Object.hasOwn(said, name) ? said[name] : undefined
}

function urlIn(said: Attributes, name: string): string | undefined {
  const value = own(said, name)?.trim()
  return value === undefined || value === '' || value.length > MAX_URL || value.startsWith('data:') ? undefined : value
}

/** Returns the charset of `<meta http-equiv="Content-Type" content="text/html; charset=…">`. */
function charsetIn(said: Attributes): string | undefined {
  if (own(said, 'http-equiv')?.toLowerCase() !== 'content-type') return undefined
  const [, charset] = (own(said, 'content') ?? '').slice(0, 256).toLowerCase().split('charset=')
  return charset?.split(';')[0]?.trim()
}
