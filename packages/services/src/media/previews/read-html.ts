// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import type { Parser } from 'htmlparser2'
import { encodingOf } from './charset.ts'
import { PageFacts } from './page-facts.ts'

/** The bytes that are parsed in one step, and about how long that takes on a page of tags alone. */
const CHUNK = 8 * 1024
const CHUNK_COST_US = 500
/** A page with deeper elements is read up to there. */
const MAX_DEPTH = 512
/** The bytes in which a page may name its charset. */
const CHARSET_BYTES = 4096

const NOT_SHOWN = new Set(
  'head header nav aside footer script noscript style template svg iframe video canvas picture select'.split(' '),
)
const ROLES_NOT_READ = new Set(['directory', 'menu', 'menubar', 'toolbar'])
const INLINE = new Set(
  'a abbr b bdi bdo cite code data dfn em font i img kbd mark q s samp small span strong sub sup time u var wbr'.split(
    ' ',
  ),
)
const HEADINGS = new Set(['h1', 'h2', 'h3'])

/**
 * Returns the facts of an HTML page for its preview. It is parsed in steps, as a stream without a tree, up to the depth of 512
 * elements.
 *
 * @param charset the charset that the server named
 */
export async function readHtml(bytes: Uint8Array, charset: string | undefined): Promise<PageFacts> {
  const encoding = await encodingOf(bytes, charset, async (start) => {
    const decoder = new TextDecoder('windows-1252')
    return (await parse(start.subarray(0, CHARSET_BYTES), decoder)).charset
  })
  return parse(bytes, new TextDecoder(encoding))
}

async function parse(bytes: Uint8Array, decoder: TextDecoder): Promise<PageFacts> {
  // The library is loaded with the first preview.
  const { Parser } = await import('htmlparser2')
  const reader = new Reader()
  const parser = new Parser(reader)
  for (let at = 0; at < bytes.length && !reader.isOver; at += CHUNK) {
    parser.write(decoder.decode(bytes.subarray(at, at + CHUNK), { stream: true }))
    const pausing = step(CHUNK_COST_US)
    if (pausing) await pausing
  }
  if (!reader.isOver) parser.end()
  return reader.facts
}

/** Follows a page from tag to tag. */
class Reader {
  readonly facts = new PageFacts()
  isOver = false
  #parser: Parser | undefined
  #depth = 0
  /** The depth and name of the outermost element whose text is not read. */
  #unread: { readonly depth: number; readonly name: string } | undefined
  /** The element whose text is being taken, besides as text of the page. */
  #taking: 'title' | 'heading' | undefined

  onparserinit(parser: Parser): void {
    this.#parser = parser
  }

  onopentag(name: string, said: Record<string, string>): void {
    this.#depth++
    this.facts.element(name, said)
    if (name === 'body' && this.facts.isComplete) return this.#stop()
    if (this.#depth > MAX_DEPTH) return this.#stop()
    if (!INLINE.has(name)) this.facts.endParagraph()
    if (name === 'title' && this.#unread?.name !== 'svg' && this.facts.title === '') this.#taking = 'title'
    else if (HEADINGS.has(name) && this.facts.heading === '' && !this.#unread) this.#taking = 'heading'
    const isUnread = NOT_SHOWN.has(name) || (Object.hasOwn(said, 'role') && ROLES_NOT_READ.has(said['role'] ?? ''))
    if (isUnread) this.#unread ??= { depth: this.#depth, name }
  }

  ontext(text: string): void {
    if (this.#taking) this.facts[this.#taking] = `${this.facts[this.#taking]}${text}`.slice(0, 1000)
    else if (!this.#unread) this.facts.text(text)
    if (this.#taking === 'heading') this.facts.text(text)
  }

  onclosetag(name: string): void {
    if (name === 'title' || HEADINGS.has(name)) this.#taking = undefined
    if (!INLINE.has(name)) this.facts.endParagraph()
    if (this.#unread?.depth === this.#depth) this.#unread = undefined
    this.#depth--
  }

  #stop(): void {
    this.isOver = true
    this.#parser?.pause()
  }
}
