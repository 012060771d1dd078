// SPDX-License-Identifier: Apache-2.0
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '@myelin/kit/clock'
import { openReaderOf } from '@myelin/storage/engine/reader'
import type { ReaderSource } from '@myelin/storage/engine/reader-source'
import { roomVersionOf } from '../../room-state/versions.ts'
import { resolveRoots } from './resolve-roots.ts'

// The worker side of resolution-thread.ts.
const IDLE_MS = 60_000
const { read } = await openReaderOf(workerData as ReaderSource)
const end = () => process.exit()
let idle = systemClock.later(IDLE_MS, end)

parentPort?.on('message', ({ version, roots }: { readonly version: string; readonly roots: readonly number[] }) => {
  idle.cancel()
  resolveRoots(read, roomVersionOf(version), roots)
    .then(
      ({ base, changes }) => parentPort?.postMessage({ base, changes }),
      (cause: unknown) =>
        parentPort?.postMessage({ fault: cause instanceof Error ? cause.message : 'no reason given' }),
    )
    .finally(() => (idle = systemClock.later(IDLE_MS, end)))
})
