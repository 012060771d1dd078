// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { foldInto, fragmentFiles, readFragment } from './changelog-fragments.ts'
import { thirdPartyNotices } from './third-party-notices.ts'

/** Fails when documents and tree disagree: links, decisions, changelog, the table of packages, notices, Node's version. */
interface Floors {
  readonly packages: Readonly<Record<string, readonly string[]>>
  /** The folders of a package, lowest rank first. */
  readonly ranks: Readonly<Record<string, readonly (readonly string[])[]>>
}

const floors = JSON.parse(read('floors.json')) as Floors
const treeFaults = [...packageFaults(), ...folderFaults(), ...pathFaults()]
const faults = [
  ...deadLinks(),
  ...deadMentions(),
  ...decisionFaults(),
  ...changelogFaults(),
  ...treeFaults,
  ...noticeFaults(),
  ...nodeFaults(),
]
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}

function read(file: string): string {
  return readFileSync(file, 'utf8')
}

/** Finds relative links of documents that name no file, or no heading in it. */
function deadLinks(): readonly string[] {
  const documents = globSync(['*.md', '{docs,bench,changes,conformance,.github}/**/*.md'])
  return documents.flatMap((document) =>
    [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => {
      if (/^[a-z]+:/.test(link!)) return []
      const [path = '', anchor] = link!.split('#')
      const target = path === '' ? document : normalize(join(dirname(document), path))
      if (!existsSync(target)) return [`${document}: no such file: ${link}`]
      const isHeading = anchor === undefined || !target.endsWith('.md') || anchorsOf(target).has(anchor)
      return isHeading ? [] : [`${document}: no such heading: ${link}`]
    }),
  )
}

/** Finds documents that source files name and that do not exist. */
function deadMentions(): readonly string[] {
  return globSync('{packages/*/src,scripts,bench}/**/*.{ts,js}').flatMap((file) =>
    [...read(file).matchAll(/\bdocs\/[\w/-]+\.md\b/g)].flatMap(([path]) =>
      existsSync(path) ? [] : [`${file}: no such document: ${path}`],
    ),
  )
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
}

/** The anchors GitHub gives the headings of a document. */
function anchorsOf(file: string): ReadonlySet<string> {
  const headings = [...read(file).matchAll(/^#{1,6} (.+)$/gm)]
  return new Set(
    headings.map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\-_ ]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

function decisionFaults(): readonly string[] {
  const files = readdirSync('docs/decisions')
    .filter((name) => name !== 'README.md')
    .toSorted()
  const titles = files.map((file) => read(`docs/decisions/${file}`).split('\n')[0]!.replace(/^# /, ''))
  const wrong = files.flatMap((file, index) => {
    const number = index + 1
    const isNumbered =
      file.startsWith(`${String(number).padStart(4, '0')}-`) && titles[index]!.startsWith(`${number}. `)
    return isNumbered ? [] : [`docs/decisions/${file}: the next number is ${number}, in the name and in the title`]
  })
  const listed = [...read('docs/decisions/README.md').matchAll(/^- .*$/gm)].map(([line]) => line)
  const expected = files.map((file, index) => `- [${titles[index]}](${file})`)
  const isComplete = listed.join('\n') === expected.join('\n')
  return isComplete ? wrong : [...wrong, `docs/decisions/README.md: the list is not\n${expected.join('\n')}`]
}

function changelogFaults(): readonly string[] {
  const fragments = fragmentFiles()
    .map(readFragment)
    .filter((one) => typeof one === 'string')
  const changelog = read('CHANGELOG.md')
  const isCanonical = foldInto(changelog, []) === changelog
  return isCanonical ? fragments : [...fragments, 'CHANGELOG.md: "Unreleased" is not categories with one-line entries']
}

/** Compares the table "Packages" with floors.json and with the folders of `packages/`. */
function packageFaults(): readonly string[] {
  const expected = Object.entries(floors.packages).map(([name, imports]) => `${name}: ${imports.toSorted().join(' ')}`)
  const listed = rowsOf('Packages').map(
    ([name, imports]) => `${namesIn(name!)[0]}: ${namesIn(imports!).toSorted().join(' ')}`,
  )
  return [
    ...differences('docs/packages.md, "Packages", beside floors.json', listed, expected),
    ...differences('floors.json beside packages/', Object.keys(floors.packages), foldersIn('packages')),
  ]
}

/** Compares the tables of ranked folders, nested ones included, with floors.json, rank by rank, and with the tree. */
function folderFaults(): readonly string[] {
  return Object.entries(floors.ranks).flatMap(([place, ranks]) => {
    const expected = ranks.map((rank, index) => `${index}: ${rank.toSorted().join(' ')}`)
    const listed = rowsOf(`Folders of ${place}`).map(
      ([rank, names]) => `${rank}: ${namesIn(names!).toSorted().join(' ')}`,
    )
    return [
      ...differences(`docs/packages.md, "Folders of ${place}", beside floors.json`, listed, expected),
      ...differences(
        `floors.json, ranks of ${place}, beside the tree`,
        ranks.flat().filter((name) => name !== '.'),
        foldersIn(`packages/${place.replace(/^[^/]+/, '$&/src')}`),
      ),
    ]
  })
}

/** Finds paths in docs/where-is.md, and names of source files in documents about the structure, that do not exist. */
function pathFaults(): readonly string[] {
  const paths = [...read('docs/where-is.md').matchAll(/`([a-z-]+\/[\w./-]+)`/g)].map(([, path]) => path!)
  const isThere = (path: string) => existsSync(path) || existsSync(`packages/${path}`)
  const names = new Set(globSync('{packages/*/src,scripts,bench}/**/*.{ts,js}').map((file) => basename(file)))
  const sourceFaults = ['architecture', 'message-path', 'packages', 'debugging'].flatMap((document) => {
    const text = read(`docs/${document}.md`).replaceAll(/^```[\s\S]*?^```/gm, '')
    const mentioned = [...text.matchAll(/`[\w./-]*?([\w-]+\.[tj]s)`/g)].map(([, name]) => name!)
    return mentioned.flatMap((name) => (names.has(name) ? [] : [`docs/${document}.md: no source file ${name}`]))
  })
  return [
    ...sourceFaults,
    ...paths.flatMap((path) => (isThere(path) ? [] : [`docs/where-is.md: no such file: ${path}`])),
  ]
}

function namesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([a-z-]+|\.)`/g)].map(([, name]) => name!)
}

/** The cells of each row below a heading of docs/packages.md, without the table's head. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = read('docs/packages.md').split(`## ${heading}\n`)
  const lines = section.split('\n## ')[0]!.split('\n')
  const rows = lines.filter((line) => line.startsWith('| '))
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

function foldersIn(path: string): readonly string[] {
  return readdirSync(path).filter((name) => statSync(`${path}/${name}`).isDirectory())
}

function differences(where: string, listed: readonly string[], expected: readonly string[]): readonly string[] {
  const surplus = listed.filter((one) => !expected.includes(one))
  const missing = expected.filter((one) => !listed.includes(one))
  return [
    ...surplus.map((one) => `${where}: ${one} is too much`),
    ...missing.map((one) => `${where}: ${one} is missing`),
  ]
}

function noticeFaults(): readonly string[] {
  const isFresh = read('THIRD-PARTY-NOTICES.md') === thirdPartyNotices()
  return isFresh ? [] : ['THIRD-PARTY-NOTICES.md is stale: run node scripts/write-notices.ts']
}

/** Compares `.nvmrc` with the Node that npm installs. */
function nodeFaults(): readonly string[] {
  const { devDependencies = {} } = JSON.parse(read('package.json')) as {
    readonly devDependencies?: Record<string, string>
  }
  const version = devDependencies['node']
  return read('.nvmrc').trim() === version ? [] : [`.nvmrc is not the version of the package node, ${version}`]
}
