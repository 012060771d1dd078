// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrations } from './all.ts'
import { compatVersionOf, recordOf } from './applied.ts'
import { checksumOf } from './migration.ts'
import type { Migration } from './migration.ts'
import { planMigrations } from './pending.ts'
import type { FoundSchema } from './pending.ts'

const first: Migration = { id: 1, statements: ['create table log (position bigint not null)'] }
const second: Migration = { id: 2, statements: ['create table notes (text text not null)'] }
const wide: Migration = { id: 3, compatVersion: 2, statements: ['create table more (text text not null)'] }

/** A database with records of these migrations. */
const recorded = (...applied: readonly Migration[]): FoundSchema => ({
  tables: ['log', 'myelin_migrations'],
  compatVersion: 1,
  applied: applied.map((migration) => recordOf(migration, { isNew: true })),
  shapes: () => assert.fail('a database with records is not compared'),
})

/** The checksums of the migrations on `main`, from 0001 on; a new migration adds its line. */
const FROZEN = [
  '3f80da99cc1b6933b3914359e92aef75366b052bff8e99660aa471177bd4417a',
  '4425ed8e12759ca0b2aa9a9a48bd5171ae93ae0e93d26749e4835f5ad80d3bb2',
  'f4bf0282a1bc3c042a56d7b64246f2153e54b2eef4658b8fd35dd5d8e74ac52d',
  '49fc30bdda9ec99532dfabd25cd73c5e68b82f5fad807606c2728a7f5f45f980',
  'ced2fa28d5f5e03d0bdbd3fee1291961dd5dc5ec1cea69932323e4ce1da3bfbf',
  'ddce37cc1461dd13a2aa82af36cc0a85504f11ac71df0e77107fbb2406d43430',
  'ec0965ca5b52f5be86d52661a8396b5f5e9c66126524a7c5600cbea016c6eeb8',
  '332496ac483d1d2052af6c0dc49b7d62a50e65dbf55f9d6051c2b48f7ca31431',
  'deb4bdea25530d128b99bf6c5fee9c378bbdbbdd2abf561c25605e8d52d67364',
  '05e750318edd088c2884658bc2eb6a14f753dc156e917541fb5f2b419110d5e7',
  'bdcab34f374f79a1f60ddc7ec99e8ce6548d14e7bcc693f59254459f2f0919b1',
  '555658df38d07531716a00ff97922070dfbdbbdc7a69c7b1c0fe09a3b5501dc0',
  '453bae186fbfafcfe1a15d376f8d4b7fa216352c8975dd1909d54b104e76a519',
  '7373d645458d96f1f2adc7308759e19931ab8dc112a60b75b189126db945a9f9',
  '7872bfd465f2456233bd08f86c755cd83c4f109f69477ab30f519004d37fc90b',
  'e64389fe38c1a875efc1777c04ee02eff7fcbc9e8b1a3b27afbb8637bada404e',
  '69e7c3ca5a9e85174c74c53394fa29325b861bec5edd179ea16d81a0b01bd87a',
]

test('migrations on main are frozen', () => {
  assert.deepEqual(migrations.slice(0, FROZEN.length).map(checksumOf), FROZEN)
})

test('migration ids ascend from 1 without gaps', () => {
  assert.deepEqual(
    migrations.map(({ id }) => id),
    migrations.map((_, index) => index + 1),
  )
})

test('an empty database gets all migrations, a recorded one those it lacks', () => {
  const empty = { ...recorded(), tables: [], applied: undefined }
  assert.deepEqual(planMigrations(empty, [first, second]), { pending: [first, second], unrecorded: [] })
  assert.deepEqual(planMigrations(recorded(first), [first, second]).pending, [second])
  assert.deepEqual(planMigrations(recorded(first, second), [first, second]).pending, [])
})

test('a checksum changes with the id and with each statement', () => {
  const checksums = [first, { ...first, id: 2 }, { ...first, statements: [...first.statements, ''] }, second]
  assert.equal(new Set(checksums.map(checksumOf)).size, checksums.length)
})

test('a newer schema is refused, unless its migrations say that ours may use it', () => {
  assert.throws(
    () => planMigrations(recorded(first, second), [first]),
    /made by a newer Myelin \(migration 2 of version/,
  )
  assert.deepEqual(planMigrations(recorded(first, second, wide), [first, second]).pending, [])
  assert.throws(() => planMigrations(recorded(first, second, wide), [first]), /made by a newer Myelin/)
  assert.equal(compatVersionOf(3, [first, second, wide]), 2)
})

test('another text of an applied migration is refused, and so is a gap in the records', () => {
  const other = { ...second, statements: ['create table notes (text text)'] }
  assert.throws(
    () => planMigrations(recorded(first, other), [first, second]),
    /migration 2 was applied .* another text/,
  )
  assert.throws(() => planMigrations(recorded(first, wide), [first, second, wide]), /no row for migration 2/)
})
