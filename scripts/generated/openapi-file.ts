// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { openApiDocument } from '../../packages/http/src/openapi/document.ts'
import { servedApis } from '../../packages/http/src/openapi/served-apis.ts'

/** The file that `npm run openapi` writes; git ignores it. */
export const OPENAPI_FILE = 'openapi.json'

/** Returns the OpenAPI document of all endpoints, as the text of its file. */
export function openApiText(): string {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  return `${JSON.stringify(openApiDocument(version, servedApis), undefined, 2)}\n`
}
