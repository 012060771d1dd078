// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'

/** One import of a file: of another file of the tree, by its path from the root, or of an outside package, by its name. */
export type Import =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'outside'; readonly name: string }

const STATEMENT = /(?:\bfrom|\bimport|\b(?:import|require)\s*\()\s*(?:'([^'\n]+)'|"([^"\n]+)"|`([^`\n$]+)`)/g
/** A worker: its file is named by a URL, so no import statement leads to it. */
const WORKER = /\bnew Worker\(\s*new URL\(\s*['"]([^'"\n]+)['"]/g
const OWN_PACKAGE = /^@myelin\/([^/]+)\/(.+)$/

/** Returns the imports of each code file of the tree, type-only imports and workers included. */
export function importsOfTree(): ReadonlyMap<string, readonly Import[]> {
  const files = globSync('{packages/*/src,bench,scripts}/**/*.{ts,js}').toSorted()
  return new Map(files.map((file) => [file, importsOf(file, readFileSync(file, 'utf8'))]))
}

/** Returns the imports in the text of one file, whose path from the root is given. */
export function importsOf(file: string, text: string): readonly Import[] {
  const statements = [...text.matchAll(STATEMENT)].map(([, single, double, template]) => single ?? double ?? template!)
  const workers = [...text.matchAll(WORKER)].map(([, name]) => name!)
  return [...statements, ...workers].map((name) => importOf(file, name))
}

function importOf(file: string, name: string): Import {
  if (name.startsWith('.')) return { kind: 'file', path: relative('.', join(dirname(file), name)) }
  const own = OWN_PACKAGE.exec(name)
  if (own) return { kind: 'file', path: `packages/${own[1]}/src/${own[2]}.ts` }
  return { kind: 'outside', name: outsideName(name) }
}

/** Returns the name of an outside package without the path in it, or of a module of Node with its prefix `node:`. */
function outsideName(name: string): string {
  if (isBuiltin(name)) return name.startsWith('node:') ? name : `node:${name}`
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/')
}

/**
 * Returns the place of a file as `floors.json` writes it: the path from the root without `packages/` and `src/`, for
 * example `storage/rooms/rooms.ts` or `bench/run.ts`.
 */
export function placeOf(file: string): string {
  const parts = file.split('/')
  return (parts[0] === 'packages' ? [parts[1]!, ...parts.slice(3)] : parts).join('/')
}
