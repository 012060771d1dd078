// SPDX-License-Identifier: Apache-2.0
import type { PageFacts } from './page-facts.ts'
import { collapse, summaryOf } from './summary.ts'

/** A preview before its image is fetched. */
export interface Draft {
  /** The properties, without those of the image. */
  readonly properties: Map<string, string | number>
  /** The URLs of images, the best first; not yet absolute. */
  readonly images: readonly string[]
}

/** The properties that describe the image on the site; those of the fetched one replace them. */
const OF_IMAGE = /^og:image(?::|$)/

/** Returns the draft of a preview from the facts of its page. Metadata count first, then what stands in the page. */
export function draftOf(facts: PageFacts): Draft {
  const said = new Map([...facts.twitter, ...facts.openGraph])
  const title = said.get('og:title') ?? (collapse(facts.title) || collapse(facts.heading))
  const described = said.get('og:description') ?? facts.description
  const description = described === undefined ? facts.summary : summaryOf(described.split('\n'))
  const properties = new Map<string, string | number>([...said].filter(([name]) => !OF_IMAGE.test(name)))
  for (const [name, value] of [
    ['og:title', title],
    ['og:description', description],
  ] as const) {
    if (value !== undefined && value !== '') properties.set(name, value)
    else properties.delete(name)
  }
  return { properties, images: imagesOf(facts, said) }
}

function imagesOf(facts: PageFacts, said: ReadonlyMap<string, string>): string[] {
  const named = ['og:image', 'og:image:secure_url', 'og:image:url', 'og:image:src'].map((name) => said.get(name))
  const shown = facts.microdataImage ?? facts.largestImage?.src ?? facts.firstImage ?? facts.icon
  return [...new Set([...named, shown].filter((url) => url !== undefined && url.trim() !== ''))] as string[]
}
