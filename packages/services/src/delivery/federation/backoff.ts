// SPDX-License-Identifier: Apache-2.0
import type { Runtime } from '../../runtime/runtime.ts'

/** Returns the pause before the next try of a failed server: it grows with the last one, with jitter. */
export function backoffAfter(
  { config, random }: Pick<Runtime, 'config' | 'random'>,
  lastIntervalMs: number,
): { readonly intervalMs: number; readonly waitMs: number } {
  const { firstMs, factor, longestMs } = config.federation.retries
  const intervalMs = Math.min(longestMs, Math.max(firstMs, lastIntervalMs * factor))
  const [byte = 0] = random.bytes(1)
  return { intervalMs, waitMs: Math.round(intervalMs * (0.75 + byte / 512)) }
}
