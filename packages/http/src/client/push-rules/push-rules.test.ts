// SPDX-License-Identifier: Apache-2.0
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
type Rule = { rule_id: string; default: boolean; enabled: boolean; actions: unknown[]; conditions?: unknown[] }
type Ruleset = Record<'override' | 'content' | 'room' | 'sender' | 'underride', Rule[]>

describe('push rules', () => {
  let server: TestServer
  let token: string
  let names = 0
  before(async () => {
    server = await testServer()
  })
  beforeEach(async () => {
    token = (await server.register(`user${++names}`)).token
  })
  after(() => server.close())

  const call = (method: string, path: string, body?: unknown) =>
    server.call(method, `${v3}/pushrules/${path}`, { token, body })
  const put = (path: string, body: unknown = { actions: ['notify'] }) => call('PUT', `global/${path}`, body)
  const rules = async () => (await call('GET', '')).body['global'] as Ruleset
  const idsOf = async (kind: keyof Ruleset) =>
    (await rules())[kind].filter((rule) => !rule.default).map((rule) => rule.rule_id)

  test('are the default ones until they are changed', async () => {
    const all = await rules()
    assert.deepEqual(all.override[0], {
      rule_id: '.m.rule.master',
      default: true,
      enabled: false,
      conditions: [],
      actions: [],
    })
    assert.deepEqual((await call('GET', 'global/')).body, all)
    assert.deepEqual((await call('GET', 'global/override/.m.rule.master')).body, all.override[0])
    assert.equal((await call('GET', 'global/underride/')).status, 200)
  })

  test('are added, changed and deleted', async () => {
    const condition = { kind: 'event_match', key: 'type', pattern: 'a' }
    assert.deepEqual((await put('override/mine', { actions: ['notify'], conditions: [condition], more: 1 })).body, {})
    const made = { rule_id: 'mine', default: false, enabled: true, actions: ['notify'], conditions: [condition] }
    assert.deepEqual((await call('GET', 'global/override/mine')).body, made)
    assert.equal((await put('override/mine/enabled', { enabled: false })).status, 200)
    assert.deepEqual((await call('GET', 'global/override/mine/enabled')).body, { enabled: false })
    await put('override/mine', { actions: [] })
    const changed = { ...made, enabled: false, actions: [], conditions: [] }
    assert.deepEqual((await call('GET', 'global/override/mine')).body, changed)
    await put('override/mine/actions', { actions: [{ set_tweak: 'sound', value: 'bing' }] })
    assert.deepEqual((await call('GET', 'global/override/mine/actions')).body, {
      actions: [{ set_tweak: 'sound', value: 'bing' }],
    })
    assert.deepEqual((await call('DELETE', 'global/override/mine')).body, {})
    assert.equal((await call('GET', 'global/override/mine')).body['errcode'], 'M_NOT_FOUND')
    assert.deepEqual(await idsOf('override'), [])
  })

  test('have the members of their kind', async () => {
    const room = '!room:one.test'
    await put('content/cake', { actions: ['notify'], pattern: 'cake*lie', conditions: [] })
    await put(`room/${encodeURIComponent(room)}`)
    await put('sender/@bob:one.test')
    await put('underride/constructor')
    const { content, room: ofRoom, sender, underride } = await rules()
    const plain = { default: false, enabled: true, actions: ['notify'] }
    assert.deepEqual(content, [{ ...plain, rule_id: 'cake', pattern: 'cake*lie' }])
    assert.deepEqual(ofRoom, [{ ...plain, rule_id: room }])
    assert.deepEqual(sender, [{ ...plain, rule_id: '@bob:one.test' }])
    assert.deepEqual(underride[0], { ...plain, rule_id: 'constructor', conditions: [] })
  })

  test('are first, or before or after another', async () => {
    for (const id of ['a', 'b', 'c']) await put(`override/${id}`)
    assert.deepEqual(await idsOf('override'), ['c', 'b', 'a'])
    await put('override/d?after=c')
    await put('override/e?before=a')
    assert.deepEqual(await idsOf('override'), ['c', 'd', 'b', 'e', 'a'])
    await put('override/c?after=a')
    await put('override/a?before=d&after=b')
    assert.deepEqual(await idsOf('override'), ['a', 'd', 'b', 'e', 'c'])
    await put('override/b')
    assert.deepEqual(await idsOf('override'), ['a', 'd', 'b', 'e', 'c'])
    assert.equal((await rules()).override[0]?.rule_id, '.m.rule.master')
  })

  test('of the server can be disabled and given other actions, and reset', async () => {
    const before = await rules()
    await put('underride/.m.rule.message/enabled', { enabled: false })
    await put('underride/.m.rule.message/actions', { actions: ['notify', { set_tweak: 'highlight' }] })
    const { body } = await call('GET', 'global/underride/.m.rule.message')
    assert.deepEqual([body['enabled'], body['actions']], [false, ['notify', { set_tweak: 'highlight' }]])
    await put('underride/.m.rule.message/enabled', { enabled: true })
    await put('underride/.m.rule.message/actions', { actions: ['notify'] })
    assert.deepEqual(await rules(), before)
  })

  test('that are added concurrently are all kept', async () => {
    const ids = Array.from({ length: 10 }, (_, n) => `rule${n}`)
    await Promise.all(ids.map((id) => put(`underride/${id}`)))
    assert.deepEqual((await idsOf('underride')).toSorted(), ids)
  })

  test('are in /sync completely after each change, and in an initial sync', async () => {
    const sync = async (since?: string) => {
      const { body } = await server.call('GET', `${v3}/sync${since === undefined ? '' : `?since=${since}`}`, { token })
      const { events } = body['account_data'] as { events: { type: string; content: { global: Ruleset } }[] }
      return { since: String(body['next_batch']), found: events.filter(({ type }) => type === 'm.push_rules') }
    }
    const { since } = await sync()
    await put('override/mine')
    const next = await sync(since)
    assert.deepEqual(next.found, [{ type: 'm.push_rules', content: { global: await rules() } }])
    assert.deepEqual((await sync(next.since)).found, [])
    assert.deepEqual((await sync()).found, next.found)
  })

  for (const scope of [
    'device',
    'device/',
    'device/phone/override/a',
    'globa/',
    'global/override/.m.rule.master/shoe',
  ]) {
    test(`of an unknown scope or with an unknown attribute are refused with M_UNRECOGNIZED: ${scope}`, async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const { status, body } = await call(method, scope, method === 'PUT' ? {} : undefined)
        assert.deepEqual([status, body['errcode']], [400, 'M_UNRECOGNIZED'], method)
      }
    })
  }

  const ok = { actions: ['notify'] }
  const refusals = [
    ['of an unknown kind', 'PUT', 'shoe/a', ok, 400, 'M_UNRECOGNIZED'],
    ['of a kind called __proto__', 'GET', '__proto__/a', undefined, 400, 'M_UNRECOGNIZED'],
    ['of an unknown kind, to list', 'GET', 'shoe/', undefined, 400, 'M_UNRECOGNIZED'],
    ['with a dot in front', 'PUT', 'override/.a', ok, 400, 'M_INVALID_PARAM'],
    ['with a slash', 'PUT', 'override/a%2Fb', ok, 400, 'M_INVALID_PARAM'],
    ['with a backslash', 'PUT', 'override/a%5Cb', ok, 400, 'M_INVALID_PARAM'],
    ['with a name too long', 'PUT', `override/${'a'.repeat(256)}`, ok, 400, 'M_INVALID_PARAM'],
    ['of a room that is none', 'PUT', 'room/a', ok, 400, 'M_INVALID_PARAM'],
    ['of a sender that is none', 'PUT', 'sender/a', ok, 400, 'M_INVALID_PARAM'],
    ['without actions', 'PUT', 'override/a', {}, 400, 'M_MISSING_PARAM'],
    ['with actions that are no list', 'PUT', 'override/a', { actions: 'notify' }, 400, 'M_BAD_JSON'],
    ['with an unknown action', 'PUT', 'override/a', { actions: ['dance'] }, 400, 'M_BAD_JSON'],
    ['with an empty action', 'PUT', 'override/a', { actions: [{}] }, 400, 'M_BAD_JSON'],
    ['with conditions that are none', 'PUT', 'override/a', { ...ok, conditions: [{}] }, 400, 'M_BAD_JSON'],
    ['without a pattern', 'PUT', 'content/a', ok, 400, 'M_MISSING_PARAM'],
    ['with a pattern that is a number', 'PUT', 'content/a', { ...ok, pattern: 5 }, 400, 'M_BAD_JSON'],
    ['before one that is not there', 'PUT', 'override/a?before=b', ok, 400, 'M_UNKNOWN'],
    ['after one of the server', 'PUT', 'override/a?after=.m.rule.master', ok, 400, 'M_UNKNOWN'],
    ['that is not there, to read', 'GET', 'override/a', undefined, 404, 'M_NOT_FOUND'],
    ['of another kind, to read', 'GET', 'underride/.m.rule.master', undefined, 404, 'M_NOT_FOUND'],
    ['that is not there, to switch', 'PUT', 'override/a/enabled', { enabled: true }, 404, 'M_NOT_FOUND'],
    ['of another kind, to switch', 'PUT', 'underride/.m.rule.master/enabled', { enabled: true }, 404, 'M_NOT_FOUND'],
    ['called __proto__, to switch', 'PUT', 'override/__proto__/enabled', { enabled: true }, 404, 'M_NOT_FOUND'],
    ['that is not there, to act', 'PUT', 'override/a/actions', ok, 404, 'M_NOT_FOUND'],
    ['that is not there, to delete', 'DELETE', 'override/a', undefined, 404, 'M_NOT_FOUND'],
    ['of the server, to delete', 'DELETE', 'override/.m.rule.master', undefined, 404, 'M_NOT_FOUND'],
    ['with a switch that is a text', 'PUT', 'override/a/enabled', { enabled: 'yes' }, 400, 'M_BAD_JSON'],
    ['that is not JSON', 'PUT', 'override/a', '{', 400, 'M_NOT_JSON'],
  ] as const
  for (const [name, method, path, body, status, code] of refusals) {
    test(`${name} are refused, and nothing is changed`, async () => {
      const answer = await call(method, `global/${path}`, body)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
      assert.deepEqual(await idsOf('override'), [])
    })
  }

  test('are limited in number', async () => {
    const rule = { actions: ['notify'], conditions: [{ kind: 'event_match', pattern: 'a'.repeat(60_000) }] }
    for (let n = 0; n < 8; n++) assert.equal((await put(`override/${n}`, rule)).status, 200)
    const answer = await put('override/8', rule)
    assert.deepEqual([answer.status, answer.body['errcode']], [413, 'M_TOO_LARGE'])
    assert.equal((await idsOf('override')).length, 8)
  })
})
