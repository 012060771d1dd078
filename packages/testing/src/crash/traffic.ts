// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from 'node:events'
import type { Act, DeedAnswer, Ledger } from './record/ledger.ts'
import { uploadedText } from './invariants/media-kept.ts'
import type { MatrixClient } from '../clients/matrix-client.ts'
import type { Chance } from '../chance.ts'
import { sendUntilAnswered } from './retry-request.ts'
import type { Population } from './population.ts'

/** Shared by all senders. `surge` is emitted before a kill and ends all pauses, so that many requests are in flight. */
export interface Traffic {
  readonly population: Population
  readonly ledger: Ledger
  readonly tempo: EventEmitter<{ surge: []; stop: [] }>
  readonly thinkMs: number
}

const V3 = '/_matrix/client/v3'
const JSON_OF_MARKER = (marker: string) => JSON.stringify({ msgtype: 'm.text', body: marker, marker })

/** Sends the requests of one user until `stop`; resolves when the last is answered or given up. */
export async function runUser(traffic: Traffic, me: MatrixClient, chance: Chance): Promise<void> {
  let isOver = false
  traffic.tempo.once('stop', () => (isOver = true))
  for (let serial = 0; !isOver; serial++) {
    const deed = chooseDeed(traffic.population, me, chance, serial)
    await perform(traffic, me, chance, deed)
    if (!isOver) await pause(traffic, chance.between(0, 2 * traffic.thinkMs))
  }
}

/** Pauses for a while; a surge or the end cuts it short. */
async function pause({ tempo }: Traffic, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  tempo.once('surge', resolve).once('stop', resolve)
  await promise
  clearTimeout(timer)
  tempo.off('surge', resolve).off('stop', resolve)
}

interface Deed {
  readonly act: Act
  readonly request: readonly [string, string, string]
  /** The acts that can be repeated with the same effect. */
  readonly isRepeatable: boolean
}

function chooseDeed(population: Population, me: MatrixClient, chance: Chance, serial: number): Deed {
  const part = chance.part()
  const marker = `${me.userId.slice(1).split(':')[0]}-${serial}`
  if (population.hasKeys && part < 0.04) return upload(me, marker)
  if (population.hasKeys && part < 0.1) return claim(chance.pick(population.users))
  if (population.hasToDevice && part < 0.22) return message(chance.pick(population.users), marker)
  if (part < 0.25) return media(marker)
  const { roomId: room } = chance.pick(population.rooms.filter(({ members }) => members.includes(me)))
  const path = `${V3}/rooms/${encodeURIComponent(room)}`
  const body = JSON_OF_MARKER(marker)
  if (part < 0.3)
    return {
      act: { act: 'state', room, marker },
      request: ['PUT', `${path}/state/org.myelin.mark/${marker}`, body],
      isRepeatable: false,
    }
  return {
    act: { act: 'send', room, marker },
    request: ['PUT', `${path}/send/m.room.message/${marker}`, body],
    isRepeatable: true,
  }
}

function message(to: MatrixClient, marker: string): Deed {
  const messages = { [to.userId]: { [to.deviceId]: { marker } } }
  return {
    act: { act: 'toDevice', to: to.userId, marker },
    request: ['PUT', `${V3}/sendToDevice/org.myelin.mark/${marker}`, JSON.stringify({ messages })],
    isRepeatable: true,
  }
}

function media(marker: string): Deed {
  return {
    act: { act: 'media', marker },
    request: ['POST', '/_matrix/media/v3/upload', uploadedText(marker)],
    isRepeatable: false,
  }
}

function upload(me: MatrixClient, marker: string): Deed {
  const ids = Array.from({ length: 5 }, (_, index) => `${marker}-${index}`)
  const one_time_keys = Object.fromEntries(ids.map((id) => [`curve25519:${id}`, Buffer.from(id).toString('base64')]))
  return {
    act: { act: 'upload', keys: ids.map((id) => `${me.userId}|curve25519:${id}`) },
    request: ['POST', `${V3}/keys/upload`, JSON.stringify({ one_time_keys })],
    isRepeatable: false,
  }
}

/** Returns the claim of a one-time key of a user. */
export function claim(of: MatrixClient): Deed {
  const one_time_keys = { [of.userId]: { [of.deviceId]: 'curve25519' } }
  return {
    act: { act: 'claim', of: of.userId },
    request: ['POST', `${V3}/keys/claim`, JSON.stringify({ one_time_keys })],
    isRepeatable: false,
  }
}

/**
 * Attempts an act until it is answered. A random part of unanswered acts is not repeated, and a random part of answered
 * ones is. An upload of keys is tried once: its keys may have been claimed, and a repetition would upload them twice.
 */
export async function perform({ ledger }: Pick<Traffic, 'ledger'>, me: MatrixClient, chance: Chance, deed: Deed) {
  const serial = ledger.open()
  const givesUp = deed.act.act === 'upload' || chance.part() < 0.15
  let tries = 0
  const mayTry = () => {
    if (tries++ > 0 && givesUp) return false
    ledger.attempted(serial, me.userId, deed.act)
    return true
  }
  const answer = await sendUntilAnswered(me, deed.request, mayTry)
  if (!answer) return undefined
  const given = answerOf(deed.act, answer)
  ledger.answered(serial, given)
  if (deed.isRepeatable && given.status === 200 && chance.part() < 0.1) {
    tries = 0
    const again = await sendUntilAnswered(me, deed.request, mayTry)
    if (again) ledger.answered(serial, answerOf(deed.act, again))
  }
  return given
}

function answerOf(act: Act, { status, body }: { readonly status: number; readonly body: string }): DeedAnswer {
  if (status !== 200) return { status }
  if (act.act === 'send' || act.act === 'state')
    return { status, eventId: (JSON.parse(body) as { event_id: string }).event_id }
  if (act.act === 'media') return { status, uri: (JSON.parse(body) as { content_uri: string }).content_uri }
  if (act.act !== 'claim') return { status }
  const claimed = (JSON.parse(body) as { one_time_keys: Record<string, Record<string, object>> }).one_time_keys
  const names = Object.values(claimed[act.of] ?? {}).flatMap((keys) => Object.keys(keys))
  return { status, keys: names.map((name) => `${act.of}|${name}`) }
}
