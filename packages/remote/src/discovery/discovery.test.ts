// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seededRandom } from '@myelin/kit/random'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import type { ServerName } from '@myelin/matrix/ids'
import { RemoteError } from '../remote-error.ts'
import type { ServiceRecord } from '../sockets/names.ts'
import { Discovery } from './discovery.ts'

type Records = Readonly<Record<string, readonly Partial<ServiceRecord>[]>>

/** Returns the destination of a name on a test internet with these delegations and SRV records. */
async function route(server: string, delegates: Readonly<Record<string, string>> = {}, records: Records = {}) {
  const asked: string[] = []
  const names = {
    servicesOf: async (name: string) => {
      asked.push(name)
      return (records[name] ?? []).map((record) => ({ name: '', port: 0, priority: 0, weight: 0, ...record }))
    },
  }
  const wellKnown = {
    delegateOf: async (host: string) => {
      asked.push(`https://${host}`)
      return delegates[host] as ServerName | undefined
    },
  }
  const found = await discoveryOf(names, wellKnown).routeTo(server as ServerName)
  const places = found.places.map(({ host, port }) => `${host} ${port}`)
  return { asked, places, host: found.hostHeader, certificate: found.certificateName }
}

function discoveryOf(
  names: ConstructorParameters<typeof Discovery>[0]['names'],
  wellKnown: ConstructorParameters<typeof Discovery>[0]['wellKnown'],
  clock = new StoppedClock(),
): Discovery {
  return new Discovery({ names, wellKnown, clock, random: seededRandom('route') })
}

const FED = (host: string) => `_matrix-fed._tcp.${host}`
const OLD = (host: string) => `_matrix._tcp.${host}`

describe('a server is found', () => {
  const direct = [
    ['by its address', '1.2.3.4', '1.2.3.4 8448', '1.2.3.4'],
    ['by its address and port', '1.2.3.4:5', '1.2.3.4 5', '1.2.3.4'],
    ['by its IPv6 address', '[2001:db8::1]', '2001:db8::1 8448', '2001:db8::1'],
    ['by its IPv6 address and port', '[2001:db8::1]:5', '2001:db8::1 5', '2001:db8::1'],
    ['by its port', 'a.test:5', 'a.test 5', 'a.test'],
  ] as const
  for (const [how, server, place, certificate] of direct) {
    test(`${how}, without a request`, async () => {
      assert.deepEqual(await route(server), { asked: [], places: [place], host: server, certificate })
    })
    test(`${how} where another server delegates to it`, async () => {
      const asked = ['https://b.test']
      assert.deepEqual(await route('b.test', { 'b.test': server }), {
        asked,
        places: [place],
        host: server,
        certificate,
      })
    })
  }

  test('at port 8448 where nothing else is said', async () => {
    assert.deepEqual(await route('a.test'), {
      asked: ['https://a.test', FED('a.test'), OLD('a.test')],
      places: ['a.test 8448'],
      host: 'a.test',
      certificate: 'a.test',
    })
  })

  test('by SRV, and must have the certificate of its own name', async () => {
    const found = await route('a.test', {}, { [FED('a.test')]: [{ name: 'x.test', port: 7 }] })
    assert.deepEqual(found, {
      asked: ['https://a.test', FED('a.test')],
      places: ['x.test 7'],
      host: 'a.test',
      certificate: 'a.test',
    })
  })

  test('by the older SRV name where there is no other', async () => {
    const found = await route('a.test', {}, { [OLD('a.test')]: [{ name: 'x.test', port: 7 }] })
    assert.deepEqual(found.places, ['x.test 7'])
  })

  test('by the SRV of the name it delegates to, with the certificate of that', async () => {
    const records = { [FED('b.test')]: [{ name: 'x.test', port: 7 }], [FED('a.test')]: [{ name: 'y.test', port: 8 }] }
    assert.deepEqual(await route('a.test', { 'a.test': 'b.test' }, records), {
      asked: ['https://a.test', FED('b.test')],
      places: ['x.test 7'],
      host: 'b.test',
      certificate: 'b.test',
    })
  })

  test('at port 8448 of the name it delegates to, and that name is not asked to delegate further', async () => {
    const found = await route('a.test', { 'a.test': 'b.test', 'b.test': 'c.test' })
    assert.deepEqual([found.places, found.asked[0], found.asked.length], [['b.test 8448'], 'https://a.test', 3])
  })

  test('at the place of the lowest priority first', async () => {
    const records = [
      { name: 'late.test', port: 1, priority: 20, weight: 100 },
      { name: 'first.test', port: 1, priority: 1 },
      { name: 'next.test', port: 1, priority: 10 },
    ]
    const found = await route('a.test', {}, { [FED('a.test')]: records })
    assert.deepEqual(found.places, ['first.test 1', 'next.test 1', 'late.test 1'])
  })
})

test('the DNS is asked again about a service after five minutes', async () => {
  let asked = 0
  const clock = new StoppedClock()
  const servicesOf = async () => {
    asked++
    return [{ name: 'x.test', port: 7, priority: 0, weight: 0 }]
  }
  const discovery = discoveryOf({ servicesOf }, { delegateOf: async () => undefined }, clock)
  const name = 'a.test' as ServerName
  await discovery.routeTo(name)
  clock.advance(299_999)
  await discovery.routeTo(name)
  assert.equal(asked, 1)
  clock.advance(1)
  await discovery.routeTo(name)
  assert.equal(asked, 2)
})

describe('a server is not found', () => {
  const nowhere = {
    'its SRV record says there is none': () => route('a.test', {}, { [FED('a.test')]: [{ name: '', port: 0 }] }),
    'its port is none': () => route('a.test:99999'),
    'it delegates to a port that is none': () => route('a.test', { 'a.test': 'b.test:0' }),
  }
  for (const [why, find] of Object.entries(nowhere)) test(`where ${why}`, () => assert.rejects(find(), RemoteError))
})
