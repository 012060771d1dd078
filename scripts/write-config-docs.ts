// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { configReference } from '../packages/server/src/config/reference.ts'

/** Writes docs/config.md from the schemas; `npm run check` fails while it is stale. */
writeFileSync('docs/config.md', configReference())
