// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** One import of a file: of another file of the tree, by its path from the root, or of an outside package, by its name. */
export type Import =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'outside'; readonly name: string }

const STATEMENT = /(?:\bfrom|\bimport|\bimport\() ?'([^'\n]+)'/g
const OWN_PACKAGE = /^@myelin\/([^/]+)\/(.+)$/

/** Returns the imports of each code file of the tree, type-only imports included. */
export function importsOfTree(): ReadonlyMap<string, readonly Import[]> {
  const files = globSync('{packages/*/src,bench,scripts}/**/*.{ts,js}').toSorted()
  return new Map(files.map((file) => [file, importsOf(file)]))
}

function importsOf(file: string): Import[] {
  return [...readFileSync(file, 'utf8').matchAll(STATEMENT)].map(([, name]) => importOf(file, name!))
}

function importOf(file: string, name: string): Import {
  if (name.startsWith('.')) return { kind: 'file', path: relative('.', join(dirname(file), name)) }
  const own = OWN_PACKAGE.exec(name)
  if (own) return { kind: 'file', path: `packages/${own[1]}/src/${own[2]}.ts` }
  return { kind: 'outside', name: name.startsWith('node:') || name.startsWith('@') ? name : name.split('/')[0]! }
}

/** Returns where a file stands: its package (or `bench`, `scripts`), the folder below it (`.` for none), and both as a place. */
export function placeOf(file: string): { readonly home: string; readonly folder: string; readonly place: string } {
  const parts = file.split('/')
  const below = parts[0] === 'packages' ? [parts[1]!, ...parts.slice(3)] : parts
  return { home: below[0]!, folder: below.length > 2 ? below[1]! : '.', place: below.join('/') }
}
