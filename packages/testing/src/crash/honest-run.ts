// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { signingKeyFromSeed } from '@myelin/matrix/signatures'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { roomVersion } from '@myelin/rules/room-versions'
import { uploadedText } from './invariants/media-kept.ts'
import type { Deed } from './record/ledger.ts'
import type { Observation } from './record/observation.ts'
import { seenEvent } from './seen-event.ts'

/** A run in which nothing went wrong, for tests to doctor. */
export interface HonestRun {
  readonly deeds: readonly Deed[]
  readonly seen: Observation
}

const alice = '@alice:one.test' as UserId
const bob = '@bob:one.test' as UserId
const key = signingKeyFromSeed('honest', Buffer.alloc(32, 3))

/**
 * Returns the deeds and observations of a correct run: two users in a room; acknowledged, retried, unanswered and absent
 * events, a message and one-time keys.
 */
export function honestRun(): HonestRun {
  const pdus = roomOf(['kept', 'retried', 'open', 'state'])
  const roomId = pdus[0]?.roomId ?? ''
  const [, , kept, retried, open, state] = pdus.map(({ id }) => id)
  const wire = pdus.map((pdu): JsonObject => ({ ...pdu.json, event_id: pdu.id }))
  const messages = wire.map(seenEvent)
  const send = (marker: string) => ({ act: 'send', room: roomId, marker }) as const
  const answer = (eventId: string | undefined) => ({ status: 200, eventId })
  const deeds: Deed[] = [
    { serial: 0, user: alice, act: send('kept'), attempts: 1, answers: [answer(kept)] },
    { serial: 1, user: alice, act: send('retried'), attempts: 3, answers: [answer(retried), answer(retried)] },
    { serial: 2, user: bob, act: send('open'), attempts: 1, answers: [] },
    { serial: 3, user: bob, act: send('absent'), attempts: 1, answers: [] },
    {
      serial: 4,
      user: bob,
      act: { act: 'state', room: roomId, marker: 'state' },
      attempts: 1,
      answers: [answer(state)],
    },
    {
      serial: 5,
      user: bob,
      act: { act: 'toDevice', to: alice, marker: 'hello' },
      attempts: 2,
      answers: [answer(undefined)],
    },
    { serial: 6, user: alice, act: { act: 'upload', keys: ['k1', 'k2'] }, attempts: 1, answers: [answer(undefined)] },
    { serial: 7, user: bob, act: { act: 'claim', of: alice }, attempts: 2, answers: [{ status: 200, keys: ['k1'] }] },
    {
      serial: 8,
      user: bob,
      act: { act: 'media', marker: 'image' },
      attempts: 1,
      answers: [{ status: 200, uri: 'mxc://a/b' }],
    },
  ]
  const seen: Observation = {
    rooms: [
      {
        roomId,
        version: '11',
        members: [alice, bob],
        messages,
        state: messages.filter(({ stateKey }) => stateKey !== undefined),
        pdus: wire,
      },
    ],
    streams: [alice, bob].map((user) => ({ user, roomId, events: messages.slice(1) })),
    resumptions: [{ user: alice, roomId, had: 2, events: messages.slice(3) }],
    lookups: [{ roomId, eventId: open ?? '', event: 'open', context: 'open' }],
    toDevice: [{ user: alice, markers: ['hello'] }],
    pushes: [{ user: alice, events: [open ?? ''] }],
    media: [{ uri: 'mxc://a/b', text: uploadedText('image') }],
    remoteRoom: { acknowledged: ['$in'], sent: ['$out'], heard: ['$out', '$join'], messages: ['$out', '$in'] },
    signer: { serverName: 'one.test', keyId: key.id, publicKey: key.publicKey },
    recoveriesMs: [800],
    recoveryLimitMs: 10_000,
  }
  return { deeds, seen }
}

function roomOf(markers: readonly string[]): Pdu[] {
  const version = roomVersion('11')
  if (!version) throw new Error('room version 11 is known')
  const pdus: Pdu[] = []
  const add = (type: string, content: JsonObject, stateKey?: string) => {
    const draft = {
      roomId: '!room:one.test' as RoomId,
      sender: alice,
      type,
      ...(stateKey === undefined ? {} : { stateKey }),
      content,
      prevEvents: pdus.slice(-1).map(({ id }): EventId => id),
      authEvents: pdus.slice(0, 2).map(({ id }): EventId => id),
      depth: pdus.length + 1,
      originServerTs: pdus.length,
    }
    pdus.push(buildPdu(draft, version, { serverName: 'one.test' as ServerName, key }))
  }
  add('m.room.create', { room_version: '11' }, '')
  add('m.room.member', { membership: 'join' }, alice)
  for (const marker of markers) {
    if (marker === 'state') add('org.myelin.mark', { marker }, marker)
    else add('m.room.message', { body: marker, marker })
  }
  return pdus
}
