// SPDX-License-Identifier: Apache-2.0

/**
 * Returns whether a setting, or a part of one, has Synapse's default: it is null, equal to the default, or a group whose members
 * all have theirs. `28d` equals the same number of milliseconds, and `10M` the same number of bytes.
 */
export function isSynapseDefault(value: unknown, byDefault: unknown): boolean {
  if (value === null || value === undefined || value === byDefault) return true
  if (byDefault === undefined && isEmpty(value)) return true
  if (Array.isArray(value) || Array.isArray(byDefault)) return JSON.stringify(value) === JSON.stringify(byDefault)
  if (typeof value !== 'object') return areSameAmount(value, byDefault)
  const group = (byDefault ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(value).every(([name, part]) => isSynapseDefault(part, member(group, name)))
}

/** Returns whether a value without a known default asks for nothing. */
function isEmpty(value: unknown): boolean {
  return value === false || value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)
}

function member(group: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(group, name) ? group[name] : undefined
}

const AMOUNT = /^(\d{1,12})([a-z]*)$/i
const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  k: 1024,
  kib: 1024,
  kb: 1024,
  mib: 1024 ** 2,
  mb: 1024 ** 2,
}

/** Returns whether a number or text names the same duration or size as the default; `m` is minutes or mebibytes. */
function areSameAmount(value: unknown, byDefault: unknown): boolean {
  const amounts = [60_000, 1024 ** 2].map((ofM) => [amountOf(value, ofM), amountOf(byDefault, ofM)] as const)
  return amounts.some(([own, other]) => own !== undefined && own === other)
}

function amountOf(value: unknown, ofM: number): number | undefined {
  if (typeof value === 'number') return value
  const [, count, unit = ''] = (typeof value === 'string' && AMOUNT.exec(value)) || []
  const factor = unit === '' ? 1 : unit.toLowerCase() === 'm' ? ofM : UNITS[unit.toLowerCase()]
  return count === undefined || factor === undefined ? undefined : Number(count) * factor
}
