// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@myelin/kit/random'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { BlobStore } from './blob-store.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest()
const streamOf = (...chunks: string[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)))

describe('a blob store', () => {
  let folder: string
  let store: BlobStore
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'myelin-blobs-'))
    store = new BlobStore(folder, seededRandom('blobs'))
  })
  after(() => rm(folder, { recursive: true }))
  const left = () => readdir(join(folder, 'incoming'))

  test('keeps what came in chunks, and gives it back whole or in part', async () => {
    const blob = await store.receive(streamOf('hello ', 'world'), 11)
    await blob.keep()
    await blob.keep()
    await blob.discard()
    assert.deepEqual([Buffer.from(blob.sha256), blob.sizeBytes], [sha256('hello world'), 11])
    assert.equal(await text(await store.read(blob.sha256)), 'hello world')
    assert.equal(await text(await store.read(blob.sha256, { start: 6, end: 8 })), 'wor')
    assert.deepEqual(await left(), [])
  })

  test('keeps the same bytes once', async () => {
    const blobs = await Promise.all([store.receive(streamOf('twice'), 9), store.receive(streamOf('twice'), 9)])
    await Promise.all(blobs.map((blob) => blob.keep()))
    assert.equal(await text(await store.read(sha256('twice'))), 'twice')
    assert.deepEqual(await left(), [])
  })

  test('has nothing left of what was discarded', async () => {
    const blob = await store.receive(streamOf('gone'), 9)
    assert.equal((await left()).length, 1)
    await blob.discard()
    assert.deepEqual(await left(), [])
    await assert.rejects(store.read(sha256('gone')), { code: 'M_NOT_FOUND' })
  })

  test('has nothing left of what is too large or breaks off', async () => {
    await assert.rejects(store.receive(streamOf('hello ', 'world'), 10), { code: 'M_TOO_LARGE' })
    const broken = Readable.from(breaksOff())
    const receiving = store.receive(broken, 10)
    await assert.rejects(receiving, { code: 'M_UNKNOWN', status: 400 })
    assert.deepEqual(await left(), [])
  })

  test('lets the sender of too much live, to hear about it', async () => {
    const source = streamOf('hello ', 'world')
    await assert.rejects(store.receive(source, 3), { code: 'M_TOO_LARGE' })
    assert.equal(source.destroyed, false)
  })

  test('derives once what is asked for many times', async () => {
    let made = 0
    const make = async () => Buffer.from(`made ${++made}`)
    const ask = () => store.derived(sha256('x'), '32x32', make)
    const answers = [...(await Promise.all([ask(), ask()])), await ask()]
    assert.deepEqual(
      answers.map((bytes) => bytes.toString()),
      ['made 1', 'made 1', 'made 1'],
    )
  })

  test('derives anew what could not be derived', async () => {
    await assert.rejects(
      store.derived(sha256('y'), 'a', () => Promise.reject(new Error('no'))),
      /no/,
    )
    const made = await store.derived(sha256('y'), 'a', async () => Buffer.from('yes'))
    assert.equal(made.toString(), 'yes')
  })

  test('deletes a blob with its thumbnails, unless it is used or new', async () => {
    const blob = await store.receive(streamOf('unused'), 9)
    await blob.keep()
    await store.derived(blob.sha256, 'thumb', async () => Buffer.from('small'))
    const stays = () => store.read(blob.sha256).then(text)
    const hour = 3_600_000
    await store.removeUnused(blob.sha256, { now: Date.now(), isUsed: async () => false })
    assert.equal(await stays(), 'unused')
    await store.removeUnused(blob.sha256, { now: Date.now() + 2 * hour, isUsed: async () => true })
    assert.equal(await stays(), 'unused')
    await store.removeUnused(blob.sha256, { now: Date.now() + 2 * hour, isUsed: async () => false })
    await assert.rejects(stays(), { code: 'M_NOT_FOUND' })
    const again = await store.derived(blob.sha256, 'thumb', async () => Buffer.from('made again'))
    assert.equal(again.toString(), 'made again')
    await store.removeUnused(blob.sha256, { now: Date.now() + 2 * hour, isUsed: async () => false })
    assert.deepEqual(await left(), [])
  })

  test('removes what was left behind a day ago, and not what is under way', async () => {
    const [old, young] = [join(folder, 'incoming', 'old'), join(folder, 'incoming', 'young')]
    await writeFile(old, '')
    await writeFile(young, '')
    const now = Date.now()
    await utimes(old, (now - 25 * 3_600_000) / 1000, (now - 25 * 3_600_000) / 1000)
    await store.removeStale(now)
    assert.deepEqual(await left(), ['young'])
    await rm(young)
  })
})

async function text(stream: Readable): Promise<string> {
  return Buffer.concat((await stream.toArray()) as Buffer[]).toString()
}

async function* breaksOff(): AsyncGenerator<Buffer> {
  yield Buffer.from('half')
  throw new Error('connection reset')
}
