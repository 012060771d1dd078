// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { faultsOf } from './floors/faults.ts'
import type { Floors } from './floors/faults.ts'
import { importsOfTree } from './floors/imports.ts'

/**
 * Fails on an import that `floors.json` does not allow, on an imported dependency that it does not name, and on a folder
 * with more than 30 files.
 */
const MAX_FILES = 30
const floors = JSON.parse(readFileSync('floors.json', 'utf8')) as Floors
const tree = importsOfTree()
const { upward, fileRings, folderRings, lines } = faultsOf(floors, tree)
const faults = [...lines, ...unplacedDependencies(), ...sizeFaults()]

console.log(
  `${upward.length} upward imports, ${fileRings.length} file rings, ${folderRings.length} folder rings at every depth`,
)
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}

/** Packages that are no dependency are refused by knip. */
function unplacedDependencies(): readonly string[] {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
  const imported = new Set([...tree.values()].flat().flatMap((each) => (each.kind === 'outside' ? [each.name] : [])))
  return names
    .filter((name) => imported.has(name) && !(name in floors.outside))
    .map((name) => `floors.json names no place for the dependency ${name}`)
}

function sizeFaults(): readonly string[] {
  const counts = Map.groupBy(globSync('{packages/*/src,bench,scripts}/**/*.{ts,js}'), (file) => dirname(file))
  return [...counts].flatMap(([folder, all]) =>
    all.length > MAX_FILES ? [`${folder} has ${all.length} files; at most ${MAX_FILES} stand in a folder`] : [],
  )
}
