// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { servedApis } from '../packages/http/src/openapi/served-apis.ts'
import { pathsOf } from '../packages/http/src/app/mount.ts'
import { BEYOND_FILE, OPERATIONS_FILE, readOperations, shapeOf } from './conformance/operations.ts'
import { conformanceReport, REPORT_FILE } from './conformance/report.ts'

/**
 * Checks the files of endpoints: one operation each, named after its operationId; that they are mounted; that the operations
 * are in the spec, or in the list of those beyond it; and that the report of both is not stale.
 */
const ROOT = 'packages/http/src'
const API_OF_FOLDER: Readonly<Record<string, string>> = {
  client: 'client-server',
  media: 'client-server',
  federation: 'server-server',
  monitoring: 'monitoring',
}
const known = [...readOperations(OPERATIONS_FILE), ...readOperations(BEYOND_FILE)]
const faults: string[] = []
const declared = new Set<string>()

for (const file of globSync(`${ROOT}/*/**/*.ts`).filter((name) => !name.endsWith('.test.ts'))) {
  const text = readFileSync(file, 'utf8')
  const declarations = text.match(/\bendpoint\(\{/g)?.length ?? 0
  if (declarations === 0) continue
  const ids = [...text.matchAll(/^ +id: '(\w+)',$/gm)].map(([, id = '']) => id)
  const [id] = ids
  if (declarations !== 1 || ids.length !== 1 || id === undefined) {
    faults.push(`${file}: a file declares one endpoint, with its id on a line`)
    continue
  }
  const name = kebabCase(id)
  if (basename(file) !== `${name}.ts`) faults.push(`${file}: the file of ${id} is ${name}.ts`)
  if (!text.includes(`export const ${camelCase(name)} = `)) faults.push(`${file}: exports ${camelCase(name)}`)
  const api = API_OF_FOLDER[file.slice(ROOT.length + 1).split('/')[0] ?? ''] ?? ''
  declared.add(`${api} ${id}`)
}

const mounted = servedApis.flatMap(({ name, endpoints }) => endpoints.map((endpoint) => ({ api: name, endpoint })))
for (const { api, endpoint } of mounted) {
  const shapes = new Set(pathsOf(endpoint).map(shapeOf))
  const operation = known.find(
    (each) =>
      each.api === api && each.id === endpoint.id && each.method === endpoint.method && shapes.has(shapeOf(each.path)),
  )
  const what = `${api} ${endpoint.method} ${endpoint.id}`
  if (!operation) faults.push(`${what} is neither in ${OPERATIONS_FILE} nor in ${BEYOND_FILE}`)
  if (!declared.has(`${api} ${endpoint.id}`)) faults.push(`${what} is not in a folder of its API`)
}
const names = new Set(mounted.map(({ api, endpoint }) => `${api} ${endpoint.id}`))
for (const each of declared) if (!names.has(each)) faults.push(`${each} is declared and not mounted`)
if (readFileSync(REPORT_FILE, 'utf8') !== conformanceReport()) {
  faults.push(`${REPORT_FILE} is stale: run node scripts/write-endpoint-report.ts`)
}
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}

/** Returns an operationId in kebab-case: `uploadContentToMXC` is `upload-content-to-mxc`. */
function kebabCase(id: string): string {
  return id
    .replace('PIDs', 'Pids')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase()
}

/** Returns the name in camelCase, with `MXC` in capitals as in the spec. */
function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()).replace(/Mxc$/, 'MXC')
}
