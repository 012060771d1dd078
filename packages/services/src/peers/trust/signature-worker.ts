// SPDX-License-Identifier: Apache-2.0
import { parentPort } from 'node:worker_threads'
import { claimHolds, type SignatureClaim } from './signature-claim.ts'

// The worker side of signature-workers.ts.
parentPort?.on('message', (claims: readonly SignatureClaim[]) => parentPort?.postMessage(claims.map(claimHolds)))
