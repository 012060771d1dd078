// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fittedSize, sizeFor } from './thumbnail-size.ts'

const side = fc.integer({ min: 1, max: 4000 })
const size = fc.record({ width: side, height: side })
const image = fc.record({ width: fc.integer({ min: 1, max: 20_000 }), height: fc.integer({ min: 1, max: 20_000 }) })

test('the sizes of the spec are made as they are asked for', () => {
  for (const [width, height, method] of [
    [32, 32, 'crop'],
    [96, 96, 'crop'],
    [320, 240, 'scale'],
    [640, 480, 'scale'],
    [800, 600, 'scale'],
  ] as const) {
    assert.deepEqual(sizeFor({ width, height }, method), { width, height, isKept: true })
  }
})

test('a scaled thumbnail fits into its box, fills it in one direction, and is never larger than its image', () => {
  fc.assert(
    fc.property(image, size, (original, asked) => {
      const box = sizeFor(asked, 'scale')
      const scaled = fittedSize(original, box, 'scale')
      for (const dimension of ['width', 'height'] as const) {
        assert.ok(box[dimension] >= asked[dimension])
        assert.ok(scaled[dimension] <= Math.min(box[dimension], original[dimension]))
      }
      const fills = scaled.width === box.width || scaled.height === box.height
      assert.ok(fills || (scaled.width === original.width && scaled.height === original.height))
      const cropped = fittedSize(original, sizeFor(asked, 'crop'), 'crop')
      assert.ok(cropped.width <= original.width && cropped.height <= original.height)
    }),
    { numRuns: 2000 },
  )
})

test('a crop of a large image has at least the size, and the shape, that were asked for', () => {
  fc.assert(
    fc.property(size, (asked) => {
      const made = fittedSize({ width: 5000, height: 5000 }, sizeFor(asked, 'crop'), 'crop')
      assert.ok(made.width >= asked.width && made.height >= asked.height)
      assert.ok(Math.abs(made.width * asked.height - made.height * asked.width) <= Math.max(asked.width, asked.height))
    }),
  )
})

test('one image cannot make us keep more than a few sizes, whatever is asked', () => {
  const kept = new Set<string>()
  for (let width = 1; width < 3000; width += 7) {
    for (let height = 1; height < 3000; height += 11) {
      const { isKept, ...made } = sizeFor({ width, height }, 'crop')
      if (isKept) kept.add(`${made.width}x${made.height}`)
    }
  }
  assert.ok(kept.size <= 100, `${kept.size}`)
})
