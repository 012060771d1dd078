// SPDX-License-Identifier: Apache-2.0
import type { Invariant, Verdict } from './record/invariant.ts'
import { healthyAgain } from './invariants/healthy-again.ts'
import { mediaKept } from './invariants/media-kept.ts'
import { noDuplicate } from './invariants/no-duplicate.ts'
import { noLostAck } from './invariants/no-lost-ack.ts'
import { noPhantom } from './invariants/no-phantom.ts'
import { nothingLostBetweenServers } from './invariants/nothing-lost-between-servers.ts'
import { oneTimeKeysOnce } from './invariants/one-time-keys-once.ts'
import { pushedAtLeastOnce } from './invariants/pushed-at-least-once.ts'
import { syncCompleteness } from './invariants/sync-completeness.ts'
import { toDeviceOnce } from './invariants/to-device-once.ts'
import { wholeGraph } from './invariants/whole-graph.ts'
import type { Deed } from './record/ledger.ts'
import type { Observation } from './record/observation.ts'

const invariants: readonly Invariant[] = [
  noLostAck,
  noDuplicate,
  noPhantom,
  syncCompleteness,
  wholeGraph,
  nothingLostBetweenServers,
  toDeviceOnce,
  oneTimeKeysOnce,
  mediaKept,
  pushedAtLeastOnce,
  healthyAgain,
]

/** Checks each invariant against the ledger of a run and the observations after it. */
export function judge(deeds: readonly Deed[], seen: Observation): Verdict[] {
  return invariants.map((invariant) => ({
    invariant: invariant.name,
    title: invariant.title,
    ...invariant.judge(deeds, seen),
  }))
}
