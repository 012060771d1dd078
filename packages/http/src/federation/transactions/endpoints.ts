// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { sendTransaction } from './send-transaction.ts'

/** Transactions of other servers. */
export const transactionEndpoints: readonly AnyEndpoint[] = [sendTransaction]
