// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { OPENAPI_FILE, openApiText } from './generated/openapi-file.ts'

/** Writes the OpenAPI document of all endpoints: `npm run openapi [FILE]`, by default openapi.json. */
const [file = OPENAPI_FILE] = process.argv.slice(2)
writeFileSync(file, openApiText())
