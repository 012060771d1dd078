// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import { RemoteError } from '../remote-error.ts'
import { WellKnown } from './well-known.ts'

interface Page {
  status?: number
  headers?: Readonly<Record<string, string>>
  body?: string
}
const PATH = '/.well-known/matrix/server'
const GOOD: Page = { body: '{"m.server": "b.test:5"}' }
const HOUR = 3_600_000

/** A web with these pages, which a test may change; a page that is not there cannot be reached. */
function web(pages: Record<string, Page>) {
  const asked: string[] = []
  const clock = new StoppedClock()
  const wellKnown = new WellKnown(async (url) => {
    asked.push(url.href)
    const page = pages[url.href]
    if (!page) throw new RemoteError('unreachable', 'nobody there')
    async function* body() {
      yield Buffer.from(page?.body ?? '')
    }
    return { status: page.status ?? 200, headers: page.headers ?? {}, body: body() }
  }, clock)
  return { asked, clock, pages, find: () => wellKnown.delegateOf('a.test') }
}

const at = (page: Page) => ({ [`https://a.test${PATH}`]: page })

describe('a well-known document', () => {
  test('is followed through redirects, relative ones too', async () => {
    const { find, asked } = web({
      ...at({ status: 301, headers: { location: '/other' } }),
      'https://a.test/other': { status: 308, headers: { location: 'https://c.test/x?y' } },
      'https://c.test/x?y': GOOD,
    })
    assert.equal(await find(), 'b.test:5')
    assert.deepEqual(asked, [`https://a.test${PATH}`, 'https://a.test/other', 'https://c.test/x?y'])
  })

  const void_: Record<string, Page> = {
    'is not JSON': { body: '<html>' },
    'is a list': { body: '[]' },
    'has no m.server': { body: '{}' },
    'has a number there': { body: '{"m.server": 5}' },
    'has an address with a path there': { body: '{"m.server": "https://b.test/"}' },
    'has an object that inherits one': { body: '{"__proto__": {"m.server": "b.test"}}' },
    'is longer than 50 KiB': { body: `{"m.server": "b.test", "more": "${'x'.repeat(60_000)}"}` },
    'is not found': { ...GOOD, status: 404 },
    'is an error': { ...GOOD, status: 500 },
    'redirects to http': { status: 302, headers: { location: 'http://a.test/x' } },
    'redirects to nowhere': { status: 302 },
    'redirects to itself': { status: 302, headers: { location: PATH } },
  }
  for (const [name, page] of Object.entries(void_)) {
    test(`counts for nothing where it ${name}`, async () => {
      const { find, asked } = web(at(page))
      assert.equal(await find(), undefined)
      assert.ok(asked.length <= 11)
    })
  }

  const lifetimes: Record<string, [Page['headers'], number]> = {
    'a day without a word': [{}, 24 * HOUR],
    'as long as max-age says': [{ 'cache-control': 'public, max-age=7200' }, 2 * HOUR],
    'two days at most': [{ 'cache-control': 'max-age=9999999' }, 48 * HOUR],
    'five minutes at least': [{ 'cache-control': 'no-store' }, HOUR / 12],
    'until it expires': [{ expires: new Date(1_700_000_000_000 + 3 * HOUR).toUTCString() }, 3 * HOUR],
    'no longer than need be where its date is none': [{ expires: '0' }, HOUR / 12],
  }
  for (const [name, [headers, ms]] of Object.entries(lifetimes)) {
    test(`is kept ${name}`, async () => {
      const { find, asked, clock } = web(at({ ...GOOD, headers: headers ?? {} }))
      await find()
      clock.advance(ms - 1)
      await find()
      assert.equal(asked.length, 1)
      clock.advance(1)
      await find()
      assert.equal(asked.length, 2)
    })
  }

  test('is asked for once by many at a time', async () => {
    const { find, asked } = web(at(GOOD))
    assert.deepEqual(await Promise.all([find(), find(), find()]), ['b.test:5', 'b.test:5', 'b.test:5'])
    assert.equal(asked.length, 1)
  })

  test('that fails is asked for later and later, within an hour', async () => {
    const { find, asked, clock } = web({})
    const pauses: number[] = []
    for (let last = 0; asked.length < 9; clock.advance(60_000)) {
      const before = asked.length
      await find()
      if (asked.length > before) {
        pauses.push((clock.now() - last) / 60_000)
        last = clock.now()
      }
    }
    assert.deepEqual(pauses.slice(1), [1, 2, 4, 8, 16, 32, 60, 60])
  })

  test('is believed for two days after it was last seen', async () => {
    const { find, clock, pages } = web(at(GOOD))
    await find()
    delete pages[`https://a.test${PATH}`]
    clock.advance(47 * HOUR)
    assert.equal(await find(), 'b.test:5')
    clock.advance(2 * HOUR)
    assert.equal(await find(), undefined)
  })
})
