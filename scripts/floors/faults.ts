// SPDX-License-Identifier: Apache-2.0
import { placeOf } from './imports.ts'
import type { Import } from './imports.ts'
import { ringsOf } from './rings.ts'

/** The content of `floors.json`. A place is a path without `packages/` and `src/`: `storage/rooms`. */
export interface Floors {
  /** The packages that each package may import. */
  readonly packages: Readonly<Record<string, readonly string[]>>
  /**
   * The folders in a place, lowest rank first; `.` is the files that stand in the place itself. A folder imports lower
   * ranks, and its own rank without rings.
   */
  readonly ranks: Readonly<Record<string, readonly (readonly string[])[]>>
  /** The places that may import an outside package. Modules of Node that are not named may be imported anywhere. */
  readonly outside: Readonly<Record<string, readonly string[]>>
  /** The places whose tests may import an outside package in addition to `outside`. */
  readonly outsideInTests: Readonly<Record<string, readonly string[]>>
}

/** The imports of a tree that are not allowed. */
export interface FloorFaults {
  /** The files with an import of a higher rank, once for each such import. */
  readonly upward: readonly string[]
  readonly fileRings: readonly (readonly string[])[]
  /** Rings of folders that stand in the same place, at every depth; the files of the place itself count as a folder. */
  readonly folderRings: readonly (readonly string[])[]
  /** One line for each fault, those above included. */
  readonly lines: readonly string[]
}

const isTest = (file: string): boolean => file.endsWith('.test.ts')

/**
 * Returns the imports of a tree that its floors do not allow: between packages, upward between the folders of a place, in a
 * ring of files or of folders, or of an outside package in a place that may not import it.
 *
 * Tests may import every package and rank; rings of files and outside packages are checked for them too.
 */
export function faultsOf(floors: Floors, tree: ReadonlyMap<string, readonly Import[]>): FloorFaults {
  const links = new Map([...tree].map(([file, imports]) => [file, filesAmong(imports, tree)]))
  const productLinks = new Map([...links].filter(([file]) => !isTest(file)))
  const fileRings = ringsOf(links)
  const folderRings = ringsOf(folderLinks(productLinks))
  const upward = upwardOf(floors, productLinks)
  return {
    upward: upward.map(([file]) => file),
    fileRings,
    folderRings,
    lines: [
      ...packageFaults(floors, productLinks),
      ...upward.map(([file, target]) => `${file} imports upward: ${target}`),
      ...fileRings.map((ring) => `ring of files: ${ring.join(' ')}`),
      ...folderRings.map((ring) => `ring of folders: ${ring.join(' ')}`),
      ...outsideFaults(floors, tree),
      ...rankFaults(floors, [...tree.keys()]),
    ],
  }
}

type Links = ReadonlyMap<string, ReadonlySet<string>>

function filesAmong(imports: readonly Import[], tree: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  return new Set(imports.flatMap((each) => (each.kind === 'file' && tree.has(each.path) ? [each.path] : [])))
}

function pairsOf(links: Links): readonly (readonly [file: string, target: string])[] {
  return [...links].flatMap(([file, targets]) => [...targets].map((target) => [file, target] as const))
}

/**
 * Returns the deepest place that holds both files, and what stands in it on the way to each: a folder, or `.` for a file
 * of the place itself.
 */
function fork(file: string, target: string): { readonly place: string; readonly from: string; readonly to: string } {
  const [a, b] = [placeOf(file).split('/'), placeOf(target).split('/')]
  const shared = a.findIndex((part, index) => part !== b[index])
  const stepOf = (parts: readonly string[]) => (parts.length - 1 > shared ? parts[shared]! : '.')
  return { place: a.slice(0, shared).join('/'), from: stepOf(a), to: stepOf(b) }
}

/**
 * Links each folder to the folders beside it that its files, at any depth, import. The files that stand in the place itself
 * are the folder `.`.
 */
function folderLinks(links: Links): Links {
  const folders = new Map<string, Set<string>>()
  for (const [file, target] of pairsOf(links)) {
    const { place, from, to } = fork(file, target)
    if (from === to) continue
    const folder = folders.get(`${place}/${from}`) ?? new Set()
    folders.set(`${place}/${from}`, folder.add(`${place}/${to}`))
  }
  return folders
}

function upwardOf({ ranks }: Floors, links: Links): readonly (readonly [file: string, target: string])[] {
  return pairsOf(links).filter(([file, target]) => {
    const { place, from, to } = fork(file, target)
    const ranked = ranks[place]
    if (!ranked || from === to) return false
    const [lower, higher] = [rankOf(ranked, from), rankOf(ranked, to)]
    return lower !== undefined && higher !== undefined && lower < higher
  })
}

function rankOf(ranks: readonly (readonly string[])[], folder: string): number | undefined {
  const rank = ranks.findIndex((each) => each.includes(folder))
  return rank === -1 ? undefined : rank
}

function packageFaults({ packages }: Floors, links: Links): readonly string[] {
  return pairsOf(links).flatMap(([file, target]) => {
    const [from, to] = [placeOf(file), placeOf(target)].map((place) => place.split('/')[0]!) as [string, string]
    const allowed = packages[from]
    return from === to || !allowed || allowed.includes(to) ? [] : [`${file} may not import package ${to}`]
  })
}

function outsideFaults(floors: Floors, tree: ReadonlyMap<string, readonly Import[]>): readonly string[] {
  const { outside, outsideInTests } = floors
  return [...tree].flatMap(([file, imports]) =>
    imports.flatMap((each) => {
      if (each.kind === 'file') return []
      const rule = Object.keys(outside).find((name) => each.name === name || each.name.startsWith(`${name}/`))
      if (rule === undefined) return []
      const places = [...outside[rule]!, ...(isTest(file) ? (outsideInTests[rule] ?? []) : [])]
      return places.some((place) => isWithin(placeOf(file), place)) ? [] : [`${file} may not import ${each.name}`]
    }),
  )
}

const isWithin = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`)

/** Returns a line for each folder without a rank and for each rank without files. */
function rankFaults({ ranks }: Floors, files: readonly string[]): readonly string[] {
  const places = files.map(placeOf)
  return Object.entries(ranks).flatMap(([place, named]) => {
    const below = places.filter((each) => each.startsWith(`${place}/`)).map((each) => each.slice(place.length + 1))
    const there = new Set(below.map((each) => (each.includes('/') ? each.split('/')[0]! : '.')))
    const ranked = new Set(named.flat())
    const unranked = there.difference(ranked)
    return [
      ...[...unranked].map((folder) => `floors.json gives no rank to ${place}/${folder}`),
      ...[...ranked.difference(there)].map((folder) => `floors.json ranks ${place}/${folder}, which has no files`),
    ]
  })
}
