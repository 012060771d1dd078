// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { faultsOf } from './floors/faults.ts'
import type { Floors } from './floors/faults.ts'
import { importsOfTree } from './floors/imports.ts'

/** Fails on an import that `floors.json` does not allow, and on a folder with more than 30 files. */
const MAX_FILES = 30
const floors = JSON.parse(readFileSync('floors.json', 'utf8')) as Floors
const { upward, fileRings, folderRings, lines } = faultsOf(floors, importsOfTree())
const faults = [...lines, ...sizeFaults()]

console.log(
  `${upward.length} upward imports, ${fileRings.length} file rings, ${folderRings.length} folder rings at every depth`,
)
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}

function sizeFaults(): readonly string[] {
  const counts = Map.groupBy(globSync('{packages/*/src,bench,scripts}/**/*.{ts,js}'), (file) => dirname(file))
  return [...counts].flatMap(([folder, all]) =>
    all.length > MAX_FILES ? [`${folder} has ${all.length} files; at most ${MAX_FILES} stand in a folder`] : [],
  )
}
