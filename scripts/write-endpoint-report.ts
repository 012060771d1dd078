// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { conformanceReport, REPORT_FILE } from './conformance/report.ts'

/** Writes conformance/endpoints.md; `scripts/check-endpoints.ts` fails while it is stale. */
writeFileSync(REPORT_FILE, conformanceReport())
