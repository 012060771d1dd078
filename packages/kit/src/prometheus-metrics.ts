// SPDX-License-Identifier: Apache-2.0
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { showEventLoopLag } from './event-loop-lag.ts'
import type { CacheFigures, Exposition, Metrics } from './metrics.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
// prom-client's own look at the event loop, which cannot be turned off, only be made seldom.
const NEVER_MS = 2 ** 31 - 1
const UNITS = [1, 2, 5, 10, 20, 50, 100, 200, 500]

/**
 * Metrics for Prometheus, those of the process and its event loop included.
 *
 * The event loop's delay is there as `nodejs_eventloop_lag_*`: see `event-loop-lag.ts`.
 */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry()
  #caches: () => Iterable<readonly [string, CacheFigures]> = () => []
  readonly #requests: Histogram<'endpoint' | 'status'>
  /** The same by endpoint and status, which are some hundred pairs: looking them up is most of the work. */
  readonly #answered = new Map<string, Map<number, Histogram.Internal<'endpoint' | 'status'>>>()
  readonly #commitSizes: Histogram
  readonly #commitTimes: Histogram

  constructor() {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: NEVER_MS })
    showEventLoopLag(this.#registry)
    this.#requests = new Histogram({
      name: 'myelin_http_request_duration_seconds',
      help: 'Time from the request to its answer, by operation id and status.',
      labelNames: ['endpoint', 'status'],
      buckets: SECONDS,
      registers,
    })
    this.#commitSizes = new Histogram({
      name: 'myelin_commit_units',
      help: 'Units of work that went to disk in one commit.',
      buckets: UNITS,
      registers,
    })
    this.#commitTimes = new Histogram({
      name: 'myelin_commit_duration_seconds',
      help: 'Time of one commit, its sync to disk included.',
      buckets: SECONDS,
      registers,
    })
    this.#registerCaches()
  }

  requestAnswered(endpoint: string, status: number, durationMs: number): void {
    let byStatus = this.#answered.get(endpoint)
    if (!byStatus) this.#answered.set(endpoint, (byStatus = new Map()))
    let answered = byStatus.get(status)
    if (!answered) byStatus.set(status, (answered = this.#requests.labels({ endpoint, status })))
    answered.observe(durationMs / 1000)
  }

  committed(units: number, durationMs: number): void {
    this.#commitSizes.observe(units)
    this.#commitTimes.observe(durationMs / 1000)
  }

  watchCaches(read: () => Iterable<readonly [string, CacheFigures]>): void {
    this.#caches = read
  }

  watchWaiting(read: () => { readonly clients: number; readonly topics: number }): void {
    new Gauge({
      name: 'myelin_waiting',
      help: 'Clients that wait for something to happen, and the topics (rooms, users) that anybody waits for.',
      labelNames: ['what'],
      registers: [this.#registry],
      collect() {
        const { clients, topics } = read()
        this.set({ what: 'clients' }, clients)
        this.set({ what: 'topics' }, topics)
      },
    })
  }

  watchLogPosition(read: () => number): void {
    new Gauge({
      name: 'myelin_log_position',
      help: 'The last position taken in the log.',
      registers: [this.#registry],
      collect() {
        this.set(read())
      },
    })
  }

  watchSearchPosition(read: () => number): void {
    new Gauge({
      name: 'myelin_search_position',
      help: 'The position of the log up to which events are in the search index; 0 on nodes that do not fill it.',
      registers: [this.#registry],
      collect() {
        this.set(read())
      },
    })
  }

  async expose(): Promise<Exposition> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() }
  }

  #registerCaches(): void {
    const figures = () => this.#caches()
    const registers = [this.#registry]
    new Counter({
      name: 'myelin_cache_lookups_total',
      help: 'Times a cache was asked, and whether it knew.',
      labelNames: ['cache', 'outcome'],
      registers,
      collect() {
        this.reset()
        for (const [cache, { hits, misses }] of figures()) {
          this.inc({ cache, outcome: 'hit' }, hits)
          this.inc({ cache, outcome: 'miss' }, misses)
        }
      },
    })
    new Gauge({
      name: 'myelin_cache_entries',
      help: 'Entries a cache holds.',
      labelNames: ['cache'],
      registers,
      collect() {
        for (const [cache, { size }] of figures()) this.set({ cache }, size)
      },
    })
  }
}
