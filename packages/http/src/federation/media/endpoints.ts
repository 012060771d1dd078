// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getContentThumbnail } from './get-content-thumbnail.ts'
import { getContent } from './get-content.ts'

/** Media for other servers. */
export const federationMediaEndpoints: readonly AnyEndpoint[] = [getContentThumbnail, getContent]
