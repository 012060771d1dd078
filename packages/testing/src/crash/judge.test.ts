// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { honestRun } from './honest-run.ts'
import type { HonestRun } from './honest-run.ts'
import { judge } from './judge.ts'
import { Ledger, readLedger } from './record/ledger.ts'
import type { Deed } from './record/ledger.ts'
import type { RemoteRoomResult, Observation, SeenEvent, SeenRoom } from './record/observation.ts'

/** The invariants that a run breaks. */
function broken({ deeds, seen }: HonestRun): string[] {
  return judge(deeds, seen)
    .filter(({ violations }) => violations.length > 0)
    .map(({ invariant }) => invariant)
}

function withRoom(run: HonestRun, change: (room: SeenRoom) => Partial<SeenRoom>): HonestRun {
  return withSeen(run, ({ rooms }) => ({ rooms: rooms.map((room) => ({ ...room, ...change(room) })) }))
}

function withSeen({ deeds, seen }: HonestRun, change: (seen: Observation) => Partial<Observation>): HonestRun {
  return { deeds, seen: { ...seen, ...change(seen) } }
}

function withAbroad(run: HonestRun, change: Partial<RemoteRoomResult>): HonestRun {
  return withSeen(run, ({ remoteRoom }) => (remoteRoom ? { remoteRoom: { ...remoteRoom, ...change } } : {}))
}

function withDeed({ deeds, seen }: HonestRun, serial: number, change: Partial<Deed>): HonestRun {
  return { deeds: deeds.map((deed) => (deed.serial === serial ? { ...deed, ...change } : deed)), seen }
}

/** In every place where a client sees events. */
function everywhere(run: HonestRun, change: (events: readonly SeenEvent[]) => readonly SeenEvent[]): HonestRun {
  return withSeen(
    withRoom(run, ({ messages }) => ({ messages: change(messages) })),
    ({ streams }) => ({ streams: streams.map((stream) => ({ ...stream, events: change(stream.events) })) }),
  )
}

const doctored: readonly (readonly [string, string, (run: HonestRun) => HonestRun])[] = [
  ['L1', 'an acknowledged event is nowhere', (run) => everywhere(run, without('kept'))],
  [
    'L1',
    'an acknowledged event comes twice to one member',
    (run) => withStream(run, (events) => [...events, ...events.filter(({ marker }) => marker === 'kept')]),
  ],
  [
    'L2',
    'a transaction is answered with two events',
    (run) =>
      withDeed(run, 1, {
        answers: [
          { status: 200, eventId: '$one' },
          { status: 200, eventId: '$two' },
        ],
      }),
  ],
  [
    'L2',
    'an unanswered transaction made two events',
    (run) => everywhere(run, (events) => [...events, { id: '$other', type: 'm.room.message', marker: 'open' }]),
  ],
  [
    'L3',
    'an event has a marker that nobody sent',
    (run) => everywhere(run, (events) => [...events, { id: '$ghost', type: 'm.room.message', marker: 'ghost' }]),
  ],
  ['L3', 'an unanswered event came to nobody', (run) => withStream(run, without('open'))],
  [
    'L3',
    'an event is in /messages and not in /context',
    (run) => withSeen(run, ({ lookups }) => ({ lookups: lookups.map((each) => ({ ...each, context: undefined })) })),
  ],
  [
    'L3',
    'an event is in a stream and not in /messages',
    (run) => withRoom(run, ({ messages }) => ({ messages: without('open')(messages) })),
  ],
  ['L6', 'an event from abroad is lost', (run) => withAbroad(run, { messages: ['$out'] })],
  ['L6', 'an event from abroad is there twice', (run) => withAbroad(run, { messages: ['$out', '$in', '$in'] })],
  ['L6', 'an event never came to the other server', (run) => withAbroad(run, { heard: [] })],
  ['L9', 'an upload is gone', (run) => withSeen(run, () => ({ media: [] }))],
  [
    'L9',
    'an upload is torn',
    (run) => withSeen(run, ({ media }) => ({ media: media.map(({ uri, text }) => ({ uri, text: text?.slice(1) })) })),
  ],
  ['L4', 'a stream lacks an event', (run) => withStream(run, without('open'))],
  ['L4', 'a stream has another order than /messages', (run) => withStream(run, (events) => events.toReversed())],
  [
    'L4',
    'an old token skips an event',
    (run) =>
      withSeen(run, ({ resumptions }) => ({
        resumptions: resumptions.map((each) => ({ ...each, events: each.events.slice(1) })),
      })),
  ],
  ['L5', 'an event names one that is gone', (run) => withRoom(run, ({ pdus }) => ({ pdus: pdus.toSpliced(2, 1) }))],
  [
    'L5',
    'the content of an event was changed',
    (run) => withRoom(run, ({ pdus }) => ({ pdus: pdus.map((pdu) => ({ ...pdu, content: { body: 'other' } })) })),
  ],
  [
    'L5',
    'an event was signed by another key',
    (run) => withSeen(run, ({ signer }) => ({ signer: { ...signer, publicKey: Buffer.alloc(32, 1) } })),
  ],
  ['L5', 'the state lacks an event', (run) => withRoom(run, ({ state }) => ({ state: without('state')(state) }))],
  ['L7a', 'a message never came', (run) => withSeen(run, () => ({ toDevice: [] }))],
  [
    'L7a',
    'a message came twice',
    (run) =>
      withSeen(run, ({ toDevice }) => ({ toDevice: toDevice.map((e) => ({ ...e, markers: ['hello', 'hello'] })) })),
  ],
  [
    'L7b',
    'a key was given twice',
    (run) =>
      withDeed(run, 7, {
        answers: [
          { status: 200, keys: ['k1'] },
          { status: 200, keys: ['k1'] },
        ],
      }),
  ],
  ['L7b', 'a key was never given and no answer was lost', (run) => withDeed(run, 7, { attempts: 1 })],
  [
    'L7b',
    'a key was given that nobody uploaded',
    (run) => withDeed(run, 7, { answers: [{ status: 200, keys: ['k9'] }] }),
  ],
  [
    'L10',
    'a message was not pushed',
    (run) => withSeen(run, () => ({ pushes: [{ user: run.seen.pushes[0]!.user, events: [] }] })),
  ],
  [
    'L10',
    'an event was pushed that is in no room',
    (run) =>
      withSeen(run, ({ pushes }) => ({
        pushes: pushes.map((each) => ({ ...each, events: [...each.events, '$ghost'] })),
      })),
  ],
  [
    'L10',
    'a message was pushed to its sender',
    (run) => {
      const own = run.seen.rooms[0]?.messages.find(({ marker }) => marker === 'kept')?.id ?? ''
      return withSeen(run, ({ pushes }) => ({
        pushes: pushes.map((each) => ({ ...each, events: [...each.events, own] })),
      }))
    },
  ],
  ['L8', 'a recovery took too long', (run) => withSeen(run, () => ({ recoveriesMs: [10_001] }))],
  ['L8', 'a send was refused', (run) => withDeed(run, 3, { answers: [{ status: 403 }] })],
]

describe('the judge of crashes', () => {
  test('finds nothing in an honest run, and looks at something for every invariant', () => {
    const verdicts = judge(honestRun().deeds, honestRun().seen)
    assert.deepEqual(
      verdicts.flatMap(({ violations }) => violations),
      [],
    )
    for (const { invariant, checked } of verdicts) assert.ok(checked > 0, invariant)
  })

  for (const [invariant, fault, doctor] of doctored)
    test(`${invariant} is broken where ${fault}`, () => assert.ok(broken(doctor(honestRun())).includes(invariant)))
})

test('a ledger read back has each attempt and each answer', () => {
  const lines: string[] = []
  const ledger = new Ledger((line) => lines.push(line))
  const act = { act: 'send', room: '!r', marker: 'm' } as const
  const first = ledger.open()
  const second = ledger.open()
  ledger.attempted(first, '@a', act)
  ledger.attempted(second, '@b', act)
  ledger.attempted(first, '@a', act)
  ledger.answered(first, { status: 200, eventId: '$e' })
  assert.deepEqual(readLedger(lines.join('')), [
    { serial: 0, user: '@a', act, attempts: 2, answers: [{ status: 200, eventId: '$e' }] },
    { serial: 1, user: '@b', act, attempts: 1, answers: [] },
  ])
})

function without(marker: string): (events: readonly SeenEvent[]) => readonly SeenEvent[] {
  return (events) => events.filter((event) => event.marker !== marker)
}

function withStream(run: HonestRun, change: (events: readonly SeenEvent[]) => readonly SeenEvent[]): HonestRun {
  return withSeen(run, ({ streams }) => ({
    streams: streams.map((stream, index) => (index === 0 ? { ...stream, events: change(stream.events) } : stream)),
  }))
}
