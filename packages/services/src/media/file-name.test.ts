// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileNameIn } from './file-name.ts'

const cases = [
  ['inline', undefined],
  ['attachment; filename=a.png', 'a.png'],
  ['attachment; filename="a \\"b\\".png"', 'a "b".png'],
  ["attachment; filename=a.png; filename*=utf-8''%C3%A4.png", 'ä.png'],
  ["inline; filename*=utf-8''%ZZ", undefined],
  ['inline; filename="../../etc/passwd"', 'passwd'],
  ['inline; filename="C:\\\\x.exe"', 'x.exe'],
  ["inline; filename*=utf-8''a%00b", undefined],
  ['inline; filename=""', undefined],
  [`inline; filename=${'a'.repeat(1025)}`, undefined],
] as const
for (const [disposition, name] of cases) {
  test(`a disposition ${JSON.stringify(disposition.slice(0, 60))} names ${name ?? 'no file'}`, () => {
    assert.equal(fileNameIn(disposition), name)
  })
}
