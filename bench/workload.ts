// SPDX-License-Identifier: Apache-2.0
import type { SimulatedServers } from './fedsim/simulated-servers.ts'
import type { OwnServer } from './own-server.ts'

/** What is measured: a homeserver somewhere on this machine, or one we started. */
export interface Target {
  readonly url: string
  readonly secret: string
  /** Makes names of users unlike those of earlier runs. */
  readonly run: string
  /** Present when we started it: what can only be measured from beside the process. */
  readonly own: OwnServer | undefined
}

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
