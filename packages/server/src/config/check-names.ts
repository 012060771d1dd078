// SPDX-License-Identifier: Apache-2.0
import type { Fault } from './fault.ts'
import type { Written } from './merge.ts'
import { nearestOf } from './nearest.ts'
import { SETTINGS } from './schema.ts'
import { isWithoutEffect, MOVED, SYNAPSE_WORDS, WITHOUT_EFFECT } from './synapse-words.ts'

/** Reports a fault for every unknown setting, with the known name that is nearest to it. */
export function checkNames(written: Written, faults: Fault[], notices: string[]): void {
  for (const [key, value] of written.settings) {
    if (SETTINGS.has(key)) continue
    const reason = WITHOUT_EFFECT.get(key)
    if (reason && isSwitchedOff(value)) continue
    if (!reason && SYNAPSE_WORDS.has(key) && isWithoutEffect(key, value)) continue
    if (reason) notices.push(`${written.fileOf(key)}: ${key} has no effect: ${reason}`)
    else faults.push({ file: written.fileOf(key), key, message: whyUnknown(key) })
  }
}

/** Returns whether a group of settings is switched off, so that nothing is expected of it. */
function isSwitchedOff(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'enabled' in value && value.enabled === false
}

function whyUnknown(key: string): string {
  if (SYNAPSE_WORDS.has(key)) return 'is a setting of Synapse that Myelin does not have yet; take it out'
  const moved = MOVED.get(key)
  if (moved !== undefined) return `is ${moved} here; set that instead`
  const nearest = nearestOf(key, SETTINGS.keys())
  return nearest ? `is not a setting; did you mean ${nearest}?` : 'is not a setting'
}
