// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLog } from '@myelin/kit/log'
import type { LogLevel } from '@myelin/kit/log'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import type { ServerName } from '@myelin/matrix/ids'
import { signingKeyFromSeed } from '@myelin/matrix/signatures'
import { FailureLog } from './failure-log.ts'
import { Federation } from './federation.ts'
import { RemoteError } from './remote-error.ts'
import type { Transport } from './transport.ts'

type Line = Record<string, unknown>
const gone = (server = 'two.test') => new RemoteError('unreachable', `${server} is gone`)

function logged(level: LogLevel = 'info') {
  const lines: Line[] = []
  const clock = new StoppedClock()
  const log = createLog({ level, format: 'json' }, { write: (line) => void lines.push(JSON.parse(line) as Line) })
  return { lines, clock, failures: new FailureLog(log, clock) }
}

describe('the log of failing requests', () => {
  test('has one line for an error, with the request and the reason', () => {
    const { lines, failures } = logged()
    const cause = new RemoteError('refused', 'x'.repeat(100_000), { status: 403, errcode: 'M_FORBIDDEN' })
    failures.report({ server: 'two.test', method: 'GET', path: '/a' }, cause)
    failures.report({ server: 'two.test' }, cause)
    assert.equal(lines.length, 1)
    const { time: _, ...line } = lines[0]!
    assert.deepEqual(line, {
      level: 'info',
      server: 'two.test',
      method: 'GET',
      path: '/a',
      fault: 'refused',
      status: 403,
      errcode: 'M_FORBIDDEN',
      reason: 'x'.repeat(300),
      msg: 'a request to another server failed',
    })
  })

  test('logs at most 5 lines of a server, then 2 a minute, with the number of those left out', () => {
    const { lines, clock, failures } = logged()
    for (let count = 0; count < 50; count++) failures.report({ server: 'two.test' }, gone())
    assert.equal(lines.length, 5)
    clock.advance(60_000)
    for (let count = 0; count < 50; count++) failures.report({ server: 'two.test' }, gone())
    assert.equal(lines.length, 7)
    assert.deepEqual(
      lines.map(({ suppressed }) => suppressed),
      [undefined, undefined, undefined, undefined, undefined, 45, undefined],
    )
  })

  test('logs at most 100 lines of all servers, then 60 a minute', () => {
    const { lines, clock, failures } = logged()
    const all = () => {
      for (let count = 0; count < 1000; count++) failures.report({ server: `${count}.test` }, gone())
    }
    all()
    assert.equal(lines.length, 100)
    clock.advance(60_000)
    all()
    assert.equal(lines.length, 160)
  })

  test('logs status 404 and everything beyond the rate at debug', () => {
    const { lines, failures } = logged('debug')
    failures.report({ server: 'two.test' }, new RemoteError('refused', 'no', { status: 404 }))
    for (let count = 0; count < 50; count++) failures.report({ server: 'two.test' }, gone())
    assert.equal(lines.filter(({ level }) => level === 'debug').length, 46)
    assert.equal(lines.filter(({ level }) => level === 'info').length, 5)
  })
})

describe('a request of the federation client', () => {
  const [one, two] = ['one.test', 'two.test'] as [ServerName, ServerName]
  const get = { method: 'GET', target: '/_matrix/x?secret=1' } as const
  function client(send: Transport['send'], mayCall = true) {
    const { lines, failures } = logged()
    const key = signingKeyFromSeed('test', Buffer.alloc(32, 7))
    const options = { failures, mayCall: () => mayCall }
    return { lines, remote: new Federation(one, key, { send, close: async () => {} }, options) }
  }
  const answer =
    (status: number, text: string): Transport['send'] =>
    async () => ({ status, headers: {}, body: [Buffer.from(text)].values() as never })
  const parts = { names: ['pdus'], take: async () => {} }

  const failing: Readonly<Record<string, readonly [Transport['send'], fault: string]>> = {
    'is refused': [answer(500, '{"errcode":"M_UNKNOWN"}'), 'refused'],
    'gets a malformed answer': [answer(200, '[]'), 'malformed'],
    'gets no answer': [() => Promise.reject(gone()), 'unreachable'],
  }
  for (const [name, [send, fault]] of Object.entries(failing)) {
    test(`that ${name} is logged once, without its query`, async () => {
      const { lines, remote } = client(send)
      await assert.rejects(remote.call(two, get), RemoteError)
      await assert.rejects(remote.callInParts(two, get, parts), RemoteError)
      assert.deepEqual(
        lines.map((line) => [line['server'], line['method'], line['path'], line['fault']]),
        Array.from({ length: 2 }, () => ['two.test', 'GET', '/_matrix/x', fault]),
      )
    })
  }

  test('that is streamed is logged where it gets no answer, and its error answer where the caller reports it', async () => {
    const { lines, remote } = client(() => Promise.reject(gone()))
    const cause = await remote.open(two, get).catch((error: unknown) => error)
    assert.ok(cause instanceof RemoteError)
    remote.reportFailure(two, cause)
    assert.equal(lines.length, 1)
    remote.reportFailure(two, gone())
    assert.equal(lines.length, 2)
  })

  test('that is not sent, was aborted, or is logged by its caller, is not logged', async () => {
    const { lines, remote } = client(() => Promise.reject(gone()))
    await assert.rejects(remote.call(one, get), RemoteError)
    await assert.rejects(remote.call(two, { ...get, signal: AbortSignal.abort() }), RemoteError)
    await assert.rejects(remote.call(two, { ...get, isLoggedByCaller: true }), RemoteError)
    const forbidden = client(() => Promise.reject(gone()), false)
    await assert.rejects(forbidden.remote.call(two, get), RemoteError)
    assert.deepEqual([...lines, ...forbidden.lines], [])
  })
})
