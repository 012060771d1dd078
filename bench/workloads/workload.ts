// SPDX-License-Identifier: Apache-2.0
import type { TlsServers } from '@myelin/testing/fake-servers/tls-servers'
import type { Target } from '@myelin/testing/processes/target'

/** The input of a workload. */
export interface WorkloadRun {
  readonly target: Target
  /** The duration of each measurement, in seconds. */
  readonly seconds: number
  /** The factor by which fixtures are scaled. */
  readonly scale: number
  readonly progress: (text: string) => void
  /** Other servers, where the workload asks for some. */
  readonly servers?: TlsServers
}

/** One of the workloads; a row per cell. */
export interface Workload {
  readonly name: string
  readonly title: string
  /** The workload needs a server that the benchmark started. */
  readonly needsOwn?: boolean
  /** Settings of the server that the benchmark starts, in YAML. */
  readonly settings?: string
  /** The number of fake servers; the workload then needs a server that the benchmark started. */
  readonly needsServers?: number
  run(run: WorkloadRun): Promise<readonly Readonly<Record<string, unknown>>[]>
}
