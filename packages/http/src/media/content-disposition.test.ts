// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byteRangeOf } from './byte-range.ts'
import { contentDisposition } from './content-disposition.ts'

const names = [
  [undefined, 'inline'],
  ['a.txt', 'inline; filename=a.txt'],
  ['a b.txt', 'inline; filename="a b.txt"'],
  ['a;b".txt\\', 'inline; filename="a;b\\".txt\\\\"'],
  ['☕.txt', "inline; filename*=utf-8''%E2%98%95.txt"],
  ["é'(x)*", "inline; filename*=utf-8''%C3%A9%27%28x%29%2A"],
  ['a\r\nSet-Cookie: b', "inline; filename*=utf-8''a%0D%0ASet-Cookie%3A%20b"],
  ['\ud800', "inline; filename*=utf-8''%EF%BF%BD"],
] as const
for (const [name, expected] of names) {
  test(`the file name ${JSON.stringify(name)} is sent as ${expected}`, () => {
    assert.equal(contentDisposition('image/png', name), expected)
  })
}

test('only harmless types are inline', () => {
  const shown = ['text/plain; charset=utf-8', 'IMAGE/PNG', 'audio/x-flac']
  const saved = [
    'text/html',
    'image/svg+xml',
    'application/pdf',
    'application/octet-stream',
    '',
    '__proto__',
    'text/plain2',
  ]
  for (const type of shown) assert.equal(contentDisposition(type, undefined), 'inline', type)
  for (const type of saved) assert.equal(contentDisposition(type, undefined), 'attachment', type)
})

const ranges = [
  ['bytes=0-3', { start: 0, end: 3 }],
  ['Bytes= 0-3 ', { start: 0, end: 3 }],
  ['bytes=4-', { start: 4, end: 9 }],
  ['bytes=-3', { start: 7, end: 9 }],
  ['bytes=-99', { start: 0, end: 9 }],
  ['bytes=5-99', { start: 5, end: 9 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-4', undefined],
  ['bytes=0-1,3-4', undefined],
  ['bytes=-', undefined],
  ['lines=1-2', undefined],
  [undefined, undefined],
] as const
for (const [header, expected] of ranges) {
  test(`of ten bytes, ${header} means ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(byteRangeOf(header, 10), expected)
  })
}
