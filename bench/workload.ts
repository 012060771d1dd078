// SPDX-License-Identifier: Apache-2.0
import type { SimulatedServers } from '@myelin/testing/fedsim/simulated-servers'
import type { Target } from '@myelin/testing/processes/target'

/** What a workload gets. */
export interface WorkloadRun {
  readonly target: Target
  /** How long each cell is measured. */
  readonly seconds: number
  /** Fixtures are so many times as large as the workload says. */
  readonly scale: number
  readonly progress: (text: string) => void
  /** Other servers, where the workload asks for some. */
  readonly servers?: SimulatedServers
}

/** One of the workloads; a row per cell. */
export interface Workload {
  readonly name: string
  readonly title: string
  /** Whether it needs a server that we started. */
  readonly needsOwn?: boolean
  /** So many other servers take part; it then needs a server that we started. */
  readonly needsServers?: number
  run(run: WorkloadRun): Promise<readonly Readonly<Record<string, unknown>>[]>
}
