// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parse } from 'yaml'
import { OPERATIONS_FILE } from './conformance/operations.ts'
import type { Operation } from './conformance/operations.ts'

/**
 * Writes conformance/operations.tsv, the operations of the spec: `node scripts/extract-operations.ts FOLDER`, where
 * FOLDER is a git repository of github.com/matrix-org/matrix-spec, bare or not. Only methods, paths and operationIds are taken.
 */
const [repository] = process.argv.slice(2)
if (!repository) {
  console.error('usage: node scripts/extract-operations.ts FOLDER (a git repository of matrix-org/matrix-spec)')
  process.exit(2)
}

const RELEASE = 'v1.19'
const METHODS = ['get', 'put', 'post', 'delete'] as const
const APIS = ['client-server', 'server-server', 'application-service', 'identity', 'push-gateway'] as const

interface Document {
  readonly servers?: readonly { readonly variables?: { readonly basePath?: { readonly default: string } } }[]
  readonly paths?: Readonly<Record<string, Readonly<Record<string, { readonly operationId?: string }>>>>
}

const operations = APIS.flatMap((api) => documentsOf(api).flatMap((document) => operationsOf(api, document)))
const lines = operations.map(({ api, method, path, id }) => [api, method, path, id].join('\t')).toSorted()
writeFileSync(OPERATIONS_FILE, `api\tmethod\tpath\toperationId\n${lines.join('\n')}\n`)
console.log(`${lines.length} operations`)

function git(...args: readonly string[]): string {
  return execFileSync('git', ['-C', repository ?? '', ...args], { encoding: 'utf8', maxBuffer: 1e8 })
}

function documentsOf(api: string): Document[] {
  const files = git('ls-tree', '--name-only', RELEASE, `data/api/${api}/`).trim().split('\n')
  return files
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => parse(git('show', `${RELEASE}:${file}`)) as Document)
}

function operationsOf(api: string, { servers, paths = {} }: Document): Operation[] {
  const base = servers?.[0]?.variables?.basePath?.default ?? ''
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const id = item[method]?.operationId
      // Of two operations with one method and path, one has a space at its end: the keys of an object are unique.
      const full = `${base}${path}`.trim()
      return id === undefined ? [] : [{ api, method: method.toUpperCase(), path: full, id, source: RELEASE }]
    }),
  )
}
