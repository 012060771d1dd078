// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { configReference } from '../packages/server/src/config/reference.ts'

/** Writes docs/config.md from the schemas; a test says when it has not been run. */
writeFileSync('docs/config.md', configReference())
