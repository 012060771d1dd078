// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { thirdPartyNotices } from './third-party-notices.ts'

/** Writes THIRD-PARTY-NOTICES.md; `npm run check` fails where it is stale. */
writeFileSync('THIRD-PARTY-NOTICES.md', thirdPartyNotices())
