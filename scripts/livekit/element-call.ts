// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { until } from '@myelin/testing/clients/room-client'
import type { ClientEvent, Room, RoomClient } from '@myelin/testing/clients/room-client'
import type { Browser } from './browser.ts'
import { CALL_MEMBER } from './stage.ts'
import type { Stage } from './stage.ts'

const HOUR_MS = 3_600_000
/** The type of the sticky event by which a device is a member of a call. */
const STICKY_MEMBER = 'org.matrix.msc4143.rtc.member'
const WITHIN_MS = 60_000

const DELAYED_EVENTS = '/_matrix/client/unstable/org.matrix.msc4140/delayed_events'

/** The scenarios with Element Call as a widget. */
export const elementCalls = [
  ['Element Call shows both participants, and drops the one whose browser is killed', showBoth],
  ['Element Call with sticky events shows both participants, and drops the one whose browser is killed', showSticky],
] as const satisfies readonly (readonly [string, (stage: Stage) => Promise<string>])[]

/** Element Call in its mode `matrix_2_0`: members of the call are sticky events, and identities at the SFU are hashes. */
async function showSticky(stage: Stage): Promise<string> {
  stage.texts.set('/element-call/config.json', JSON.stringify({ matrix_rtc_mode: 'matrix_2_0' }))
  try {
    const { alice, bob, room, first, second } = await shown(stage)
    assert.equal((await members(alice, room)).length, 0, 'a member of the call is a state event')
    const asked = await first.evaluate<string[]>('globalThis.asked')
    assert.ok(
      asked.some((each) => each.startsWith(`send ${STICKY_MEMBER}?org.matrix.msc4354.sticky_duration_ms=`)),
      asked.join(', '),
    )
    const killed = performance.now()
    await second.kill()
    await until('one name fewer', async () => !(await isShown(first, bob)), WITHIN_MS)
    const left = (performance.now() - killed) / 1000
    const refused = first.failed.map(({ method, url, status }) => `${status} ${method} ${url}`)
    return `left ${left.toFixed(1)} s after the kill; refused requests: ${refused.join(', ') || 'none'}; asked: ${[...new Set(asked)].join(', ')}`
  } finally {
    stage.texts.clear()
  }
}

async function isShown(page: Browser, person: RoomClient): Promise<boolean> {
  return (await page.call<string[]>('shownNames')).some((name) => name.includes(nameOf(person)))
}

/** Lets two users into a call of Element Call, and waits until each sees both. */
async function shown(stage: Stage) {
  const { alice, bob, room } = await stage.pair()
  const people = [alice, bob]
  const pages: Browser[] = []
  for (const person of people) {
    await person.call('PUT', `/profile/${encodeURIComponent(person.userId)}/displayname`, {
      displayname: nameOf(person),
    })
    pages.push(await openCall(stage, person, room))
  }
  const [first, second] = pages as [Browser, Browser]
  try {
    for (const page of pages) {
      await until(
        'both names',
        async () => {
          const names = await page.call<string[]>('shownNames')
          return people.every((person) => names.some((name) => name.includes(nameOf(person))))
        },
        WITHIN_MS,
      )
      await until('both pictures', async () => (await page.call<number>('playingVideos')) >= 2, WITHIN_MS)
    }
  } catch (cause) {
    for (const page of pages) console.log(await describe(page))
    throw cause
  } finally {
    await first.picture(join(stage.folder, 'element-call.png'))
  }
  return { alice, bob, room, first, second }
}

async function showBoth(stage: Stage): Promise<string> {
  const { alice, bob, room, first, second } = await shown(stage)
  assert.equal((await members(alice, room)).length, 2)
  const killed = performance.now()
  await second.kill()
  await until('the leave of the killed participant', async () => (await members(alice, room)).length === 1, WITHIN_MS)
  const left = (performance.now() - killed) / 1000
  await until('one name fewer', async () => !(await isShown(first, bob)), WITHIN_MS)
  // The leave cannot have come by its delay.
  const asked = await first.evaluate<string[]>('globalThis.asked')
  assert.ok(asked.includes(`send ${CALL_MEMBER}?org.matrix.msc4140.delay=${HOUR_MS}`), asked.join(', '))
  await hangUp(first, alice, room)
  const refused = first.failed.map(({ method, url, status }) => `${status} ${method} ${url}`)
  return `left ${left.toFixed(1)} s after the kill; refused requests: ${refused.join(', ') || 'none'}`
}

/** Presses the red button; throws unless the participant leaves and takes back the delayed leave. */
async function hangUp(page: Browser, person: RoomClient, room: Room): Promise<void> {
  assert.ok(await page.call<boolean>('press', 'incall_leave'), 'there is no button to leave')
  await until('the leave of who hangs up', async () => (await members(person, room)).length === 0)
  await until('no delayed event left', async () => {
    const answer = await person.call('GET', DELAYED_EVENTS)
    return (answer['delayed_events'] as readonly object[]).length === 0
  })
}

async function openCall(stage: Stage, { base, token, userId, deviceId }: RoomClient, room: Room): Promise<Browser> {
  const page = await stage.browser('/widget-host.html')
  await page.call('openCall', { base, token, userId, deviceId, roomId: room.id })
  return page
}

async function members(asker: RoomClient, room: Room): Promise<readonly ClientEvent[]> {
  const state = await asker.call<readonly ClientEvent[]>('GET', `${room.path}/state`)
  return state.filter(({ type, content }) => type === CALL_MEMBER && Object.keys(content).length > 0)
}

function nameOf({ userId }: RoomClient): string {
  return `Display name of ${userId.slice(1).split(':')[0] ?? ''}`
}

/** Returns what a page shows and what went wrong in it. */
async function describe(page: Browser): Promise<string> {
  const shown = {
    names: await page.call('shownNames'),
    videos: await page.call('playingVideos'),
    tiles: await page.call('tiles'),
    text: await page.call<string>('shownText'),
    asked: await page.evaluate('globalThis.asked'),
    failed: page.failed,
    complaints: page.complaints.slice(-30),
  }
  return JSON.stringify(shown, undefined, 2)
}
