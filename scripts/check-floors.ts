// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { importsOfTree, placeOf } from './floors/imports.ts'
import { ringsOf } from './floors/rings.ts'

/**
 * Fails on an import that `floors.json` does not allow: between packages, upward between the folders of a package, in a ring
 * of files or folders (type-only rings too), or of an outside package where it does not belong. Tests may import any package.
 */
interface Floors {
  /** The packages that each package may import. */
  readonly packages: Readonly<Record<string, readonly string[]>>
  /** The folders of a package, lowest rank first. A folder imports lower ranks, and its own rank without rings. */
  readonly ranks: Readonly<Record<string, readonly (readonly string[])[]>>
  /** The places that may import an outside package; packages that are not named may be imported anywhere. */
  readonly outside: Readonly<Record<string, readonly string[]>>
}

const MAX_FILES = 30
const floors = JSON.parse(readFileSync('floors.json', 'utf8')) as Floors
const tree = importsOfTree()
const faults: string[] = []
const upward: string[] = []
const files = new Map<string, Set<string>>()
const folders = new Map<string, Set<string>>()

for (const [file, imports] of tree) {
  const isTest = file.endsWith('.test.ts')
  for (const each of imports) {
    if (each.kind === 'outside') checkOutside(file, each.name, isTest)
    else if (tree.has(each.path)) checkFile(file, each.path, isTest)
  }
}
const fileRings = ringsOf(files)
const folderRings = ringsOf(folders)
for (const ring of fileRings) faults.push(`ring of files: ${ring.join(' ')}`)
for (const ring of folderRings) faults.push(`ring of folders: ${ring.join(' ')}`)
checkRanked()
checkSizes()

console.log(`${upward.length} upward imports, ${fileRings.length} file rings, ${folderRings.length} folder rings`)
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}

function checkFile(file: string, target: string, isTest: boolean): void {
  const [from, to] = [placeOf(file), placeOf(target)]
  linksOf(files, file).add(target)
  if (isTest) return
  if (from.home !== to.home) {
    const allowed = floors.packages[from.home]
    if (allowed && !allowed.includes(to.home)) faults.push(`${file} may not import package ${to.home}`)
    return
  }
  if (from.folder === to.folder) return
  if (from.folder !== '.' && to.folder !== '.')
    linksOf(folders, `${from.home}/${from.folder}`).add(`${to.home}/${to.folder}`)
  const ranks = floors.ranks[from.home]
  if (!ranks || rankOf(ranks, from.folder) >= rankOf(ranks, to.folder)) return
  upward.push(file)
  faults.push(`${file} imports upward: ${target}`)
}

function checkOutside(file: string, name: string, isTest: boolean): void {
  const rule = Object.keys(floors.outside).find((each) => name === each || name.startsWith(`${each}/`))
  if (rule === undefined || isTest) return
  const { place } = placeOf(file)
  const isAllowed = floors.outside[rule]!.some((each) => place === each || place.startsWith(`${each}/`))
  if (!isAllowed) faults.push(`${file} may not import ${name}`)
}

/** Each folder of a ranked package has a rank, and each rank names folders that are there. */
function checkRanked(): void {
  for (const [home, ranks] of Object.entries(floors.ranks)) {
    const there = new Set([...tree.keys()].map(placeOf).flatMap((each) => (each.home === home ? [each.folder] : [])))
    const ranked = new Set(ranks.flat())
    for (const folder of there.difference(ranked)) faults.push(`floors.json gives no rank to ${home}/${folder}`)
    for (const folder of ranked.difference(there))
      faults.push(`floors.json ranks ${home}/${folder}, which has no files`)
  }
}

function checkSizes(): void {
  const counts = Map.groupBy(globSync('{packages/*/src,bench,scripts}/**/*.{ts,js}'), (file) => dirname(file))
  for (const [folder, all] of counts) {
    if (all.length > MAX_FILES) faults.push(`${folder} has ${all.length} files; at most ${MAX_FILES} stand in a folder`)
  }
}

function rankOf(ranks: readonly (readonly string[])[], folder: string): number {
  const rank = ranks.findIndex((each) => each.includes(folder))
  return rank === -1 ? Infinity : rank
}

function linksOf(graph: Map<string, Set<string>>, node: string): Set<string> {
  let links = graph.get(node)
  if (!links) graph.set(node, (links = new Set()))
  return links
}
