// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { putAccountData } from '@myelin/storage/accounts/account-data'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testRuntime } from '@myelin/testing/runtime'
import type { TestRuntime } from '@myelin/testing/runtime'
import { LogFollower } from './log-follower.ts'
import type { LogTask, Stretch } from './log-follower.ts'

/** A follower that records its stretches, and fails a given number of times. */
function noting(rt: TestRuntime, parts: Partial<LogTask> & { readonly failures?: number } = {}) {
  const stretches: Stretch[] = []
  let failures = parts.failures ?? 0
  const follow = async (stretch: Stretch) => {
    if (failures-- > 0) throw new Error('not yet')
    stretches.push(stretch)
    return undefined
  }
  return { stretches, follower: new LogFollower(rt, { name: 'test', follow, ...parts }) }
}

const user = '@alice:test' as UserId
const write = (rt: TestRuntime, type: string) =>
  rt.db.write((tx) => putAccountData(tx, { userId: user, roomId: '', type, content: {} }))
const lastOf = (stretches: readonly Stretch[]) => stretches.at(-1)?.upTo
const holdsLease = ({ term }: LogFollower) => term !== undefined && !term.aborted
const isUnbroken = (stretches: readonly Stretch[]) =>
  stretches.every(({ after }, index) => index === 0 || after === stretches[index - 1]?.upTo)

onEveryDatabase('a follower of the log', (open) => {
  test('follows all of the log once, in order, and goes on at its cursor after a restart', async () => {
    const rt = await testRuntime(open)
    const first = noting(rt)
    for (const type of ['a', 'b', 'c']) await write(rt, type)
    await first.follower.settled()
    const reached = await rt.db.position()
    await first.follower.close()
    const last = lastOf(first.stretches)
    await write(rt, 'd')
    const second = noting(rt)
    await second.follower.settled()
    assert.equal(isUnbroken(first.stretches), true)
    assert.equal(last, reached)
    assert.deepEqual(second.stretches[0], { after: last, upTo: await rt.db.position() })
    await second.follower.close()
    await rt.close()
  })

  test('tries a stretch that failed again, after longer and longer pauses', async () => {
    const rt = await testRuntime(open)
    const { follower, stretches } = noting(rt, { failures: 2 })
    await write(rt, 'a')
    await follower.settled()
    rt.clock.advance(1_000)
    await follower.settled()
    rt.clock.advance(1_999)
    await follower.settled()
    assert.deepEqual(stretches, [])
    rt.clock.advance(1)
    await follower.settled()
    assert.equal(lastOf(stretches), await rt.db.position())
    await follower.close()
    await rt.close()
  })

  test('leaves the work to the holder of the lease, and takes over when that one closes or is silent', async () => {
    const rt = await testRuntime(open)
    const holder = noting(rt)
    await holder.follower.settled()
    const other = noting(rt)
    await other.follower.settled()
    assert.equal(holdsLease(other.follower), false)
    await holder.follower.close()
    await other.follower.settled()
    assert.equal(holdsLease(other.follower), true)
    await other.follower.stop()
    const third = noting(rt)
    await third.follower.settled()
    assert.equal(holdsLease(third.follower), false)
    rt.clock.advance(40_000)
    await third.follower.settled()
    assert.equal(holdsLease(third.follower), true)
    await third.follower.close()
    await rt.close()
  })

  test('keeps its cursor where the task says that work is not durable yet', async () => {
    const rt = await testRuntime(open)
    const first = noting(rt, { safePosition: () => 1 })
    await write(rt, 'a')
    await first.follower.settled()
    await first.follower.close()
    const second = noting(rt)
    await second.follower.settled()
    assert.deepEqual(second.stretches[0], { after: 1, upTo: await rt.db.position() })
    await second.follower.close()
    await rt.close()
  })

  test('passes over what does not concern its task', async () => {
    const rt = await testRuntime(open)
    const { follower, stretches } = noting(rt, { concerns: () => false })
    await follower.settled()
    const { length } = stretches
    await write(rt, 'a')
    await follower.settled()
    assert.equal(stretches.length, length)
    const passed = await rt.db.position()
    await follower.close()
    const next = noting(rt)
    await next.follower.settled()
    assert.equal(next.stretches[0]?.after, passed)
    await next.follower.close()
    await rt.close()
  })
})
