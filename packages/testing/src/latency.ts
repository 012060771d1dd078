// SPDX-License-Identifier: Apache-2.0

/** Percentiles of durations, in ms. */
export interface Latency {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** Returns the usual percentiles of some durations. */
export function latencyOf(durationsMs: readonly number[]): Latency {
  const sorted = Float64Array.from(durationsMs).sort()
  const at = (part: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

/** Rounds to three significant digits, enough for a table. */
export function round(value: number): number {
  return Number(value.toPrecision(3))
}
