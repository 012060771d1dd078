// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ServerName } from '@myelin/matrix/ids'
import { stagedOf } from '@myelin/storage/federation/staged-pdus'
import { topics } from '@myelin/storage/engine/topics'
import type { Runtime } from '../../runtime/runtime.ts'

/** The most events that may wait to be judged, of one server and altogether. */
const MAX_STAGED_PER_SERVER = 1_500
const MAX_STAGED = 10_000
/** The longest wait of a transaction, after which its server gets 429. */
const PATIENCE_MS = 10_000
const AGAIN_MS = 5_000

/**
 * Waits until the backlog has room for a server's transaction; throws `M_LIMIT_EXCEEDED` after a timeout.
 * Nothing is staged then, and the server retries.
 *
 * A server with a small backlog waits least: a server that sends faster than its events are judged fills the common
 * limit.
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
  // Jitter, so that waiting transactions do not retry at once.
  const again = AGAIN_MS + Math.floor(((rt.random.bytes(1)[0] ?? 0) / 256) * AGAIN_MS)
  throw new MatrixError('M_LIMIT_EXCEEDED', 'too many events of your server are waiting to be processed', {
    extra: { retry_after_ms: again },
  })
}

async function hasRoom({ db }: Pick<Runtime, 'db'>, origin: ServerName): Promise<boolean> {
  const { own, all } = await stagedOf(db.read, origin)
  return own < MAX_STAGED_PER_SERVER && all < (own === 0 ? 2 * MAX_STAGED : MAX_STAGED)
}
