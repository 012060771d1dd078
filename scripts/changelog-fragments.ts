// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs'

/** The categories of Keep a Changelog, in the order in which a section lists them. */
const CATEGORIES = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'] as const

/** One of {@link CATEGORIES}. */
type Category = (typeof CATEGORIES)[number]

/** One file of `changes/`: its category and its entries, each a line that starts with `- `. */
export interface Fragment {
  readonly file: string
  readonly category: Category
  readonly entries: readonly string[]
}

/** Returns the paths of all fragments, sorted by issue number. */
export function fragmentFiles(): readonly string[] {
  const issueOf = (file: string) => Number.parseInt(file.replace('changes/', ''), 10)
  return globSync('changes/*.md')
    .filter((file) => file !== 'changes/README.md')
    .toSorted((a, b) => issueOf(a) - issueOf(b) || a.localeCompare(b))
}

/** Parses one fragment; returns its fault, as a sentence, if it is malformed. */
export function readFragment(file: string): Fragment | string {
  if (!/^changes\/\d+-[a-z0-9-]+\.md$/.test(file)) return `${file} is not named ISSUE-words.md`
  const [first = '', ...rest] = readFileSync(file, 'utf8').trimEnd().split('\n')
  const category = CATEGORIES.find((name) => name === first)
  if (!category) return `${file}: the first line must be one of ${CATEGORIES.join(', ')}`
  const entries = rest.filter((line) => line !== '')
  if (entries.length === 0) return `${file} has no entry`
  const wrong = entries.find((line) => !/^- [A-Z`].*\.$/.test(line))
  if (wrong !== undefined) return `${file}: an entry is "- Sentence.", on one line: ${wrong}`
  return { file, category, entries }
}

/**
 * Returns the changelog with the entries of `fragments` added to its "Unreleased" section, each below the entries its
 * category has. A category that the section lacks is inserted in the order of {@link CATEGORIES}.
 */
export function foldInto(changelog: string, fragments: readonly Fragment[]): string {
  const start = changelog.indexOf('## [Unreleased]')
  if (start === -1) throw new Error('CHANGELOG.md has no section "## [Unreleased]"')
  const end = changelog.indexOf('\n## [', start + 1)
  const section = changelog.slice(start, end === -1 ? undefined : end)
  const after = end === -1 ? '' : changelog.slice(end)
  const entries = entriesOf(section)
  for (const { category, entries: added } of fragments) entries.get(category)!.push(...added)
  const parts = CATEGORIES.filter((name) => entries.get(name)!.length > 0).map(
    (name) => `### ${name}\n\n${entries.get(name)!.join('\n')}\n`,
  )
  return `${changelog.slice(0, start)}## [Unreleased]\n\n${parts.join('\n')}${after}`
}

function entriesOf(section: string): Map<Category, string[]> {
  const entries = new Map<Category, string[]>(CATEGORIES.map((name) => [name, []]))
  let list: string[] | undefined
  for (const line of section.split('\n')) {
    if (line.startsWith('### ')) {
      list = entries.get(line.slice(4) as Category)
      if (!list) throw new Error(`CHANGELOG.md has an unknown category: ${line}`)
    } else if (line.startsWith('- ')) {
      if (!list) throw new Error(`CHANGELOG.md has an entry outside of a category: ${line}`)
      list.push(line)
    }
  }
  return entries
}
