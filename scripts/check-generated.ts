// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { configReference } from '../packages/server/src/config/reference.ts'
import { OPENAPI_FILE, openApiText } from './generated/openapi-file.ts'

/**
 * Fails when docs/config.md is stale, or openapi.json if the working tree has one. THIRD-PARTY-NOTICES.md is compared by
 * check-docs.ts, conformance/endpoints.md by check-endpoints.ts.
 */
const CONFIG_FILE = 'docs/config.md'
const faults: string[] = []
if (readFileSync(CONFIG_FILE, 'utf8') !== configReference()) {
  faults.push(`${CONFIG_FILE} is stale: run node scripts/write-config-docs.ts`)
}
if (existsSync(OPENAPI_FILE) && readFileSync(OPENAPI_FILE, 'utf8') !== openApiText()) {
  faults.push(`${OPENAPI_FILE} is stale: run npm run openapi, or delete it`)
}
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}
