// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs'
import { servedApis } from '../packages/http/src/openapi/served-apis.ts'
import { openApiDocument } from '../packages/http/src/openapi/document.ts'

/** Writes the OpenAPI document of all endpoints: `npm run openapi [FILE]`, by default openapi.json. */
const [file = 'openapi.json'] = process.argv.slice(2)
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
writeFileSync(file, `${JSON.stringify(openApiDocument(version, servedApis), undefined, 2)}\n`)
