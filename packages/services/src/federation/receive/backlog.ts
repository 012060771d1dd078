// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ServerName } from '@myelin/matrix/ids'
import { stagedOf } from '@myelin/storage/federation/staged-pdus'
import { topics } from '@myelin/storage/engine/topics'
import type { Runtime } from '../../runtime/runtime.ts'

/** So many events of one server wait to be judged, and so many in all. */
const MOST_OF_ONE = 1_500
const MOST_OF_ALL = 10_000
/** So long a transaction is held up, and then its server is told to come again. */
const PATIENCE_MS = 10_000
const AGAIN_MS = 5_000

/**
 * Waits until what waits to be judged leaves room for a transaction of a server; throws `M_LIMIT_EXCEEDED` where it does
 * not in time. Nothing is staged then, and the server sends it again.
 *
 * Whoever has nothing waiting is held up least: who sends faster than we judge fills what is for all.
 */
export async function awaitRoom(
  rt: Pick<Runtime, 'db' | 'bus' | 'clock' | 'random'>,
  origin: ServerName,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (await hasRoom(rt, origin)) return
  const patience = { isOver: signal?.aborted ?? false }
  let wake: () => void = () => {}
  const giveUp = () => {
    patience.isOver = true
    wake()
  }
  const timer = rt.clock.later(PATIENCE_MS, giveUp)
  const stopListening = rt.bus.wait([topics.unstaged], () => wake())
  signal?.addEventListener('abort', giveUp)
  try {
    while (!patience.isOver) {
      const woken = new Promise<void>((resolve) => (wake = resolve))
      if (await hasRoom(rt, origin)) return
      if (!patience.isOver) await woken
    }
  } finally {
    timer.cancel()
    stopListening()
    signal?.removeEventListener('abort', giveUp)
  }
  // Not all of them at the same moment.
  const again = AGAIN_MS + Math.floor(((rt.random.bytes(1)[0] ?? 0) / 256) * AGAIN_MS)
  throw new MatrixError('M_LIMIT_EXCEEDED', 'too many of your events wait to be judged', {
    extra: { retry_after_ms: again },
  })
}

async function hasRoom({ db }: Pick<Runtime, 'db'>, origin: ServerName): Promise<boolean> {
  const { own, all } = await stagedOf(db.read, origin)
  return own < MOST_OF_ONE && all < (own === 0 ? 2 * MOST_OF_ALL : MOST_OF_ALL)
}
