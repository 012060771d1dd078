// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DURATION_PATTERN, durationMs, SIZE_PATTERN, sizeBytes } from './units.ts'

describe('a duration', () => {
  test('is milliseconds, or has one of six suffixes', () => {
    const cases: [number | string, number][] = [
      [1500, 1500],
      ['1500', 1500],
      ['2s', 2000],
      ['5m', 300_000],
      ['3h', 10_800_000],
      ['7d', 604_800_000],
      ['2w', 1_209_600_000],
      ['1y', 31_536_000_000],
    ]
    for (const [written, ms] of cases) assert.equal(durationMs(written), ms)
  })
})

describe('a size', () => {
  test('is a number, or has K, M, G or T, with or without B', () => {
    const cases: [number | string, number][] = [
      [10, 10],
      ['10', 10],
      ['10B', 10],
      ['10K', 10_240],
      ['10kb', 10_240],
      ['10KiB', 10_240],
      ['50M', 52_428_800],
      ['2GB', 2_147_483_648],
      ['1T', 1_099_511_627_776],
    ]
    for (const [written, bytes] of cases) assert.equal(sizeBytes(written), bytes)
  })
})

test('every value that the patterns accept is a safe integer', () => {
  const durations = fc.stringMatching(new RegExp(DURATION_PATTERN))
  const sizes = fc.stringMatching(new RegExp(SIZE_PATTERN))
  fc.assert(fc.property(durations, (text) => assert.ok(Number.isInteger(durationMs(text)) && durationMs(text) >= 0)))
  fc.assert(fc.property(sizes, (text) => assert.ok(Number.isInteger(sizeBytes(text)) && sizeBytes(text) >= 0)))
})
