// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOf } from './faults.ts'
import type { Floors } from './faults.ts'
import { importsOf } from './imports.ts'

const floors: Floors = {
  packages: { low: [], high: ['low'] },
  ranks: { high: [['a'], ['b'], ['.']], 'high/a': [['under'], ['over']] },
  outside: { database: ['low/engine'], chance: [] },
  outsideInTests: { chance: ['low'] },
}

/** Files that give every ranked folder something in it. */
const RANKED = {
  'packages/high/src/main.ts': '',
  'packages/high/src/b/b.ts': '',
  'packages/high/src/a/under/deep.ts': '',
  'packages/high/src/a/over/deep.ts': '',
}

function faultsIn(files: Readonly<Record<string, string>>) {
  const texts = Object.entries({ ...RANKED, ...files })
  return faultsOf(floors, new Map(texts.map(([file, text]) => [file, importsOf(file, text)])))
}

test('imports downward are allowed, in every way of writing them', () => {
  const { lines } = faultsIn({
    'packages/low/src/x.ts': '',
    'packages/high/src/main.ts': `import { x } from '@myelin/low/x'\nimport './b/b.ts'\nconst late = import("./a/under/deep.ts")`,
    'packages/high/src/b/b.ts': `import type { Deep } from "../a/over/deep.ts"`,
  })
  assert.deepEqual(lines, [])
})

test('an import of a higher package is refused', () => {
  const { lines } = faultsIn({ 'packages/low/src/x.ts': `import { main } from '@myelin/high/main'` })
  assert.deepEqual(lines, ['packages/low/src/x.ts may not import package high'])
})

const upwardImports = {
  'single quotes': `import { b } from '../../b/b.ts'`,
  'double quotes': `import { b } from "../../b/b.ts"`,
  'types only': `import type { B } from '../../b/b.ts'`,
  're-export': `export { b } from '../../b/b.ts'`,
  'no names': `import '../../b/b.ts'`,
  'several lines': `import {\n  b,\n} from\n  '../../b/b.ts'`,
  'type expression': `type B = import('../../b/b.ts').B`,
  'dynamic import': `const b = await import( "../../b/b.ts" )`,
  'template literal': 'const b = await import(`../../b/b.ts`)',
  worker: `new Worker(new URL('../../b/b.ts', import.meta.url))`,
}
for (const [way, statement] of Object.entries(upwardImports)) {
  test(`an upward import is refused (${way})`, () => {
    const { upward, lines } = faultsIn({ 'packages/high/src/a/under/deep.ts': statement })
    assert.deepEqual(upward, ['packages/high/src/a/under/deep.ts'])
    assert.deepEqual(lines, ['packages/high/src/a/under/deep.ts imports upward: packages/high/src/b/b.ts'])
  })
}

test('an upward import between nested folders is refused', () => {
  const { upward } = faultsIn({ 'packages/high/src/a/under/deep.ts': `import '../over/deep.ts'` })
  assert.deepEqual(upward, ['packages/high/src/a/under/deep.ts'])
})

test('a ring of files is refused, between tests as well', () => {
  const { fileRings } = faultsIn({
    'packages/low/src/a.test.ts': `import './b.test.ts'`,
    'packages/low/src/b.test.ts': `import './a.test.ts'`,
  })
  assert.deepEqual(fileRings, [['packages/low/src/a.test.ts', 'packages/low/src/b.test.ts']])
})

test('a ring of folders is refused at every depth, though no files form a ring', () => {
  for (const place of ['packages/low/src', 'packages/low/src/one/two/three', 'bench', 'scripts/some']) {
    const { fileRings, folderRings } = faultsIn({
      [`${place}/x/first.ts`]: `import type { Second } from "../y/second.ts"`,
      [`${place}/y/second.ts`]: '',
      [`${place}/y/third.ts`]: `import { fourth } from '../z/below/fourth.ts'`,
      [`${place}/z/below/fourth.ts`]: `import { fifth } from '../../x/below/fifth.ts'`,
      [`${place}/x/below/fifth.ts`]: '',
    })
    assert.deepEqual(fileRings, [])
    const where = place.replace('packages/low/src', 'low')
    assert.deepEqual(folderRings, [[`${where}/x`, `${where}/y`, `${where}/z`]])
  }
})

test('files that stand beside folders form a ring with them, at every depth', () => {
  for (const place of ['packages/low/src', 'packages/low/src/one/two', 'packages/low/src/one/two/three', 'bench']) {
    const { fileRings, folderRings, lines } = faultsIn({
      [`${place}/x/first.ts`]: `import '../shared.ts'`,
      [`${place}/shared.ts`]: '',
      [`${place}/start.ts`]: `import type { Other } from './x/below/other.ts'`,
      [`${place}/x/below/other.ts`]: '',
    })
    assert.deepEqual(fileRings, [])
    const where = place.replace('packages/low/src', 'low')
    assert.deepEqual(folderRings, [[`${where}/.`, `${where}/x`]])
    assert.deepEqual(lines, [`ring of folders: ${where}/. ${where}/x`])
  }
})

test('a ring of folders may lead through the files that stand beside them', () => {
  const { folderRings } = faultsIn({
    'packages/low/src/x/first.ts': `import '../shared.ts'`,
    'packages/low/src/shared.ts': `import './y/second.ts'`,
    'packages/low/src/y/second.ts': `import '../x/third.ts'`,
    'packages/low/src/x/third.ts': '',
  })
  assert.deepEqual(folderRings, [['low/.', 'low/x', 'low/y']])
})

test('the files of a ranked folder itself have a rank, and import no higher one', () => {
  const own = 'packages/high/src/a/own.ts'
  assert.deepEqual(faultsIn({ [own]: '' }).lines, ['floors.json gives no rank to high/a/.'])
  const ranks = { ...floors.ranks, 'high/a': [['under'], ['.'], ['over']] }
  const texts = { ...RANKED, [own]: `import './over/deep.ts'`, 'packages/high/src/a/under/up.ts': `import '../own.ts'` }
  const tree = new Map(Object.entries(texts).map(([file, text]) => [file, importsOf(file, text)]))
  assert.deepEqual(faultsOf({ ...floors, ranks }, tree).upward, [own, 'packages/high/src/a/under/up.ts'])
})

test('tests make no ring of folders', () => {
  const { folderRings } = faultsIn({
    'packages/low/src/x/first.ts': `import '../shared.ts'`,
    'packages/low/src/shared.ts': '',
    'packages/low/src/x/other.ts': `import '../y/second.ts'`,
    'packages/low/src/y/second.ts': '',
    'packages/low/src/y/second.test.ts': `import '../x/first.ts'`,
    'packages/low/src/shared.test.ts': `import './x/first.ts'`,
  })
  assert.deepEqual(folderRings, [])
})

test('an outside package is imported in its places only', () => {
  const { lines } = faultsIn({
    'packages/low/src/engine/client.ts': `import database from 'database'`,
    'packages/low/src/other.ts': `import type { Client } from "database/client"`,
    'packages/low/src/other.test.ts': `import { chance } from 'chance'`,
    'packages/high/src/b/b.test.ts': `import { chance } from 'chance'`,
  })
  assert.deepEqual(lines, [
    'packages/low/src/other.ts may not import database',
    'packages/high/src/b/b.test.ts may not import chance',
  ])
})

test('a module of Node is the same with and without its prefix, and required as well as imported', () => {
  const fileSystem = { ...floors, outside: { ...floors.outside, 'node:fs': ['low/engine'] } }
  const ways = [
    `import 'node:fs'`,
    `import 'fs'`,
    `import { open } from 'fs/promises'`,
    `createRequire(url)('x'), require('fs')`,
  ]
  for (const way of ways) {
    const tree = new Map(
      [...Object.keys(RANKED), 'packages/low/src/x.ts'].map((file) => [
        file,
        importsOf(file, file.endsWith('x.ts') ? way : ''),
      ]),
    )
    const { lines } = faultsOf(fileSystem, tree)
    assert.match(lines.join(), /^packages\/low\/src\/x\.ts may not import node:fs(\/promises)?$/)
  }
})

test('every folder of a ranked place has a rank, and every rank a folder', () => {
  assert.deepEqual(faultsIn({ 'packages/high/src/c/c.ts': '' }).lines, ['floors.json gives no rank to high/c'])
  const { lines } = faultsOf(floors, new Map([['packages/high/src/a/under/deep.ts', []]]))
  assert.deepEqual(lines, [
    'floors.json ranks high/b, which has no files',
    'floors.json ranks high/., which has no files',
    'floors.json ranks high/a/over, which has no files',
  ])
})
