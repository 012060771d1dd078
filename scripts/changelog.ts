// SPDX-License-Identifier: Apache-2.0
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type Fragment, foldInto, fragmentFiles, readFragment } from './changelog-fragments.ts'

/** Moves the fragments of `changes/` into the section "Unreleased" of CHANGELOG.md and deletes them. */
const read = fragmentFiles().map(readFragment)
const faults = read.filter((one) => typeof one === 'string')
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}
const fragments = read as readonly Fragment[]
writeFileSync('CHANGELOG.md', foldInto(readFileSync('CHANGELOG.md', 'utf8'), fragments))
for (const { file } of fragments) rmSync(file)
console.log(`${fragments.length} fragments folded into CHANGELOG.md`)
