// SPDX-License-Identifier: Apache-2.0
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { latencyOf, round } from '@myelin/testing/latency'
import type { Workload, WorkloadRun } from './workload.ts'
import { sendAll } from './send-messages.ts'

/**
 * The bare pipeline: what this machine can do at the most. The same senders as in W1, without long polls, against a
 * program that does nothing but build an event and have it on disk (`bench/bare/server.ts`).
 */
export const bare: Workload = {
  name: 'bare',
  title: 'the ceiling of this machine: a program that only builds an event and has it on disk',
  run: (run) => runBare(run, 'narrow'),
}

/** The same with what a real send leaves on disk: the event's row with all its indexes. */
export const bareWhole: Workload = {
  name: 'bare-whole',
  title: 'the same, with the row and the indexes of a real event',
  run: (run) => runBare(run, 'whole'),
}

async function runBare({ seconds, progress }: WorkloadRun, rowsOf: 'narrow' | 'whole'): ReturnType<Workload['run']> {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-bare-'))
  const server = fork(new URL('../bare/server.ts', import.meta.url), [join(folder, 'bare.db'), rowsOf])
  try {
    const [{ port }] = (await once(server, 'message')) as [{ port: number }]
    const rows = []
    for (const senders of [1, 32, 256]) {
      progress(`bare: ${senders} senders, ${seconds} s`)
      const url = `http://127.0.0.1:${port}`
      const clients = Array.from(
        { length: senders },
        (_, index) => new MatrixClient({ base: url, userId: '', token: `${senders} ${index}` }),
      )
      const { durationsMs, errors, elapsedS } = await sendAll(clients, '!bare:localhost', seconds)
      for (const client of clients) client.close()
      rows.push({ senders, 'messages/s': round(durationsMs.length / elapsedS), ...latencyOf(durationsMs), errors })
    }
    return rows
  } finally {
    server.disconnect()
    await once(server, 'exit')
    rmSync(folder, { recursive: true, force: true })
  }
}
