// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { postReceipt } from './post-receipt.ts'
import { setReadMarker } from './set-read-marker.ts'

/** Read receipts and markers. */
export const receiptEndpoints: readonly AnyEndpoint[] = [postReceipt, setReadMarker]
