// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../packages/http/src/endpoint.ts'
import { servedApis } from '../../packages/http/src/openapi/served-apis.ts'
import { pathsOf } from '../../packages/http/src/app/mount.ts'
import { BEYOND_FILE, OPERATIONS_FILE, readOperations, shapeOf } from './operations.ts'
import type { Operation } from './operations.ts'

/** The file the report is kept in. */
export const REPORT_FILE = 'conformance/endpoints.md'

// The endpoints that a homeserver calls and does not serve.
const CALLED: Readonly<Record<string, string>> = {
  'application-service': 'served by application services; this server will call it',
  identity: 'served by identity servers',
  'push-gateway': 'served by push gateways; this server will call it',
}

/** Returns the report: which operations are mounted and which are missing. */
export function conformanceReport(): string {
  const operations = readOperations(OPERATIONS_FILE)
  const beyond = readOperations(BEYOND_FILE)
  const byApi = Map.groupBy(operations, ({ api }) => api)
  const counts = [...byApi].map(([api, some]) => countRow(api, some, CALLED[api] ?? ''))
  return `${[
    '# Endpoints',
    '',
    'Written by `node scripts/write-endpoint-report.ts`; `npm run check` fails when it is stale. The operations are those of',
    `Matrix v1.19 (\`${OPERATIONS_FILE}\`) and those beyond it that clients, servers or tools use (\`${BEYOND_FILE}\`).`,
    'An operation that is mounted may still lack a part; the tests say what works.',
    '',
    '| API | operations | mounted | missing | |',
    '|---|---|---|---|---|',
    ...counts,
    countRow('**all of v1.19**', operations, ''),
    countRow('beyond the spec', beyond, ''),
    ...[...byApi].flatMap(([api, some]) => ['', `## ${api}`, '', ...table(some)]),
    '',
    '## Beyond the spec',
    '',
    ...table(beyond),
  ].join('\n')}\n`
}

/** Returns the endpoint that serves an operation; undefined where it is missing. */
function endpointFor({ api, method, path, id }: Operation): AnyEndpoint | undefined {
  const isServedAt = (endpoint: AnyEndpoint) => pathsOf(endpoint).some((each) => shapeOf(each) === shapeOf(path))
  return servedApis
    .filter(({ name }) => name === api)
    .flatMap(({ endpoints }) => endpoints)
    .find(
      (endpoint) =>
        [endpoint.id, ...(endpoint.alsoServes ?? [])].includes(id) &&
        endpoint.method === method &&
        isServedAt(endpoint),
    )
}

function countRow(name: string, operations: readonly Operation[], note: string): string {
  const mounted = operations.filter(endpointFor).length
  return `| ${name} | ${operations.length} | ${mounted} | ${operations.length - mounted} | ${note} |`
}

function table(operations: readonly Operation[]): string[] {
  const hasSource = operations.some(({ source }) => source !== 'spec')
  return [
    `| | operation | |${hasSource ? ' source |' : ''}`,
    `|---|---|---|${hasSource ? '---|' : ''}`,
    ...operations.map((operation) => {
      const { id, method, path, source } = operation
      const mark = endpointFor(operation) ? 'mounted' : 'missing'
      return `| ${mark} | ${id} | \`${method} ${path}\` |${hasSource ? ` ${source} |` : ''}`
    }),
  ]
}
