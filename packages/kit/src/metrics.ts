// SPDX-License-Identifier: Apache-2.0

/** A cache with counters, which are read when the metrics are scraped. */
export interface CacheFigures {
  readonly hits: number
  readonly misses: number
  readonly size: number
}

/** The metrics as they are served. */
export interface Exposition {
  readonly contentType: string
  readonly text: string
}

/** Counts what the server does; every method is cheap enough for the hottest path. */
export interface Metrics {
  /** A request to the endpoint of that operation id was answered. */
  requestAnswered(endpoint: string, status: number, durationMs: number): void
  /** One transaction with that many units of work went to disk; the time includes the sync. */
  committed(units: number, durationMs: number): void
  /** Shows the figures of these caches from here on; some may come later. */
  watchCaches(read: () => Iterable<readonly [name: string, figures: CacheFigures]>): void
  /** Shows from here on how many clients wait for something to happen, and for how many topics. */
  watchWaiting(read: () => { readonly clients: number; readonly topics: number }): void
  /** Shows how far the log is from here on. */
  watchLogPosition(read: () => number): void
  /** Shows from here on the position of the log up to which events are in the search index. */
  watchSearchPosition(read: () => number): void
  /** Returns all metrics in Prometheus' text format. */
  expose(): Promise<Exposition>
}

/** Counts nothing. */
export const silentMetrics: Metrics = {
  requestAnswered: () => undefined,
  committed: () => undefined,
  watchCaches: () => undefined,
  watchWaiting: () => undefined,
  watchLogPosition: () => undefined,
  watchSearchPosition: () => undefined,
  expose: () => Promise.resolve({ contentType: 'text/plain; charset=utf-8', text: '' }),
}
