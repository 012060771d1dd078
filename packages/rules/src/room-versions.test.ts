// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROOM_VERSIONS, roomVersion, type RoomVersion } from './room-versions.ts'

/** From which version to which a trait holds, as the spec's pages say. */
const history: readonly (readonly [
  name: string,
  first: number,
  last: number,
  holds: (version: RoomVersion) => boolean,
])[] = [
  ['event IDs are chosen by servers', 1, 2, (v) => v.eventIds === 'chosen by server'],
  ['event IDs are hashes in standard Base64', 3, 3, (v) => v.eventIds === 'hash'],
  ['event IDs are hashes in URL-safe Base64', 4, 12, (v) => v.eventIds === 'url-safe hash'],
  ['room IDs have a domain', 1, 11, (v) => v.roomIds === 'chosen by server'],
  ['state is resolved by the first algorithm', 1, 1, (v) => v.stateResolution === 'v1'],
  ['state is resolved by the second algorithm', 2, 11, (v) => v.stateResolution === 'v2'],
  ['state is resolved by version 2.1', 12, 12, (v) => v.stateResolution === 'v2.1'],
  ['JSON is strictly canonical', 6, 12, (v) => v.strictCanonicalJson],
  ['signing keys must be valid', 5, 12, (v) => v.keysMustBeValidAtSigning],
  ['aliases belong to servers', 1, 5, (v) => v.auth.aliasesBelongToServers],
  ['redactions need power', 1, 2, (v) => v.auth.redactionsNeedPower],
  ['notification levels are guarded', 6, 12, (v) => v.auth.notificationLevelsAreGuarded],
  ['users can knock', 7, 12, (v) => v.auth.joinRules.includes('knock')],
  ['joins can be restricted', 8, 12, (v) => v.auth.joinRules.includes('restricted')],
  ['joins can be restricted or knocked for', 10, 12, (v) => v.auth.joinRules.includes('knock_restricted')],
  ['power levels are integers', 10, 12, (v) => v.auth.powerLevelsMustBeIntegers],
  ['the creator is the sender', 11, 12, (v) => v.auth.creatorIsSender],
  ['creators outrank everyone', 12, 12, (v) => v.auth.creatorsOutrankEveryone],
  ['a redaction names its target inside', 11, 12, (v) => v.redactsInContent],
  ['a state key of another server is measured in code points', 1, 10, (v) => v.countsCodePoints],
]

for (const [name, first, last, holds] of history) {
  test(`${name} in versions ${first} to ${last} only`, () => {
    const where = [...ROOM_VERSIONS.values()].filter(holds).map(({ id }) => Number(id))
    assert.deepEqual(
      where,
      Array.from({ length: last - first + 1 }, (_, at) => first + at),
    )
  })
}

test('versions that do not exist are unknown', () => {
  for (const id of ['0', '13', '', 'constructor', '1.0']) assert.equal(roomVersion(id), undefined)
})
