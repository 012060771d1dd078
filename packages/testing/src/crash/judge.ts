// SPDX-License-Identifier: Apache-2.0
import type { Law, LawVerdict } from './law.ts'
import { healthyAgain } from './laws/healthy-again.ts'
import { mediaKept } from './laws/media-kept.ts'
import { noDuplicate } from './laws/no-duplicate.ts'
import { noLostAck } from './laws/no-lost-ack.ts'
import { noPhantom } from './laws/no-phantom.ts'
import { nothingLostBetweenServers } from './laws/nothing-lost-between-servers.ts'
import { oneTimeKeysOnce } from './laws/one-time-keys-once.ts'
import { syncCompleteness } from './laws/sync-completeness.ts'
import { toDeviceOnce } from './laws/to-device-once.ts'
import { wholeGraph } from './laws/whole-graph.ts'
import type { Deed } from './ledger.ts'
import type { Observation } from './observation.ts'

const laws: readonly Law[] = [
  noLostAck,
  noDuplicate,
  noPhantom,
  syncCompleteness,
  wholeGraph,
  nothingLostBetweenServers,
  toDeviceOnce,
  oneTimeKeysOnce,
  mediaKept,
  healthyAgain,
]

/** What each law finds in a run: its ledger, and what was read back over HTTP. */
export function judge(deeds: readonly Deed[], seen: Observation): LawVerdict[] {
  return laws.map((law) => ({ law: law.name, title: law.title, ...law.judge(deeds, seen) }))
}
