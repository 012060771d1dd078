// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { holdEncryptedConversation } from '@myelin/testing/clients/encrypted-conversation'
import { RoomClient } from '@myelin/testing/clients/room-client'
import { longPartition } from './federated/partition.ts'
import { scenarios } from './federated/scenarios.ts'
import type { Pair } from './federated/scenarios.ts'
import { Playground } from './federated/servers.ts'
import type { HomeServer } from './federated/servers.ts'

/**
 * A Myelin and a Synapse on one machine do together what two servers must be able to do, once with the room made on the
 * one and once on the other. `--python` names a Python that has `matrix-synapse`; without one, nothing runs. `--alone`
 * takes a second Myelin instead; `--keep` leaves logs and databases where they are. `--apart 10` parts them for ten
 * minutes at the end, both ways round at once.
 */

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    only: { type: 'string' },
    alone: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    apart: { type: 'string' },
  },
})

const python = values.python ?? 'python3'
if (!values.alone && !hasSynapse(python)) {
  console.log(
    `Skipped: ${python} has no matrix-synapse. Make one: python3 -m venv V && V/bin/pip install matrix-synapse`,
  )
  process.exit(0)
}

const playground = new Playground()
try {
  process.exitCode = await compare()
} finally {
  await playground.close(values.keep)
  if (values.keep) console.log(`\nLogs and databases are in ${playground.folder}`)
}

async function compare(): Promise<number> {
  const { server: ours, gate } = await playground.gated('myelin')
  const there = values.alone ? await playground.gated('second') : await playground.gatedSynapse('synapse', python)
  const { server: theirs } = there
  const gates = [gate, there.gate]
  const parting = {
    part: () => gates.forEach((each) => each.shut()),
    rejoin: () => gates.forEach((each) => each.reopen()),
  }
  const [alice, bob, eve] = [await person(ours, 'alice'), await person(theirs, 'bob'), await person(theirs, 'eve')]
  const [carol, dan, mallory] = [
    await person(theirs, 'carol'),
    await person(ours, 'dan'),
    await person(ours, 'mallory'),
  ]
  const pairs: readonly (readonly [string, Pair])[] = [
    [
      `made on ${ours.label}, joined from ${theirs.label}`,
      { here: alice, there: bob, other: eve, hereServer: ours, thereServer: theirs },
    ],
    [
      `made on ${theirs.label}, joined from ${ours.label}`,
      { here: carol, there: dan, other: mallory, hereServer: theirs, thereServer: ours },
    ],
  ]
  let failed = 0
  const attempt = async (name: string, run: () => Promise<void>) => {
    if (values.only !== undefined && !name.includes(values.only)) return
    if (!(await works(name, run))) failed++
  }
  for (const [title, pair] of pairs) {
    console.log(`\n${title}`)
    for (const { name, run } of scenarios) await attempt(name, () => run(pair))
    const [host, guest] = [pair.hereServer, pair.thereServer]
    await attempt('encrypted conversation', () => holdEncryptedConversation({ host, guest, ...parting }))
  }
  if (values.apart !== undefined) {
    const minutes = Number(values.apart)
    console.log(`\n${minutes} minutes apart`)
    // A scenario that was named on the command line runs in any case.
    const cameTogether = await works('both rooms come together again', () =>
      longPartition(
        pairs.map(([, pair]) => pair),
        parting,
        minutes,
      ),
    )
    if (!cameTogether) failed++
  }
  console.log(failed === 0 ? '\nEverything works.' : `\n${failed} do not work.`)
  return failed === 0 ? 0 : 1
}

/** Runs one scenario and prints its result. */
async function works(name: string, run: () => Promise<void>): Promise<boolean> {
  const started = performance.now()
  const fault = await run().then(
    () => undefined,
    (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
  )
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `  ${fault === undefined ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)${fault === undefined ? '' : `\n       ${fault}`}`,
  )
  return fault === undefined
}

function person({ url }: HomeServer, name: string): Promise<RoomClient> {
  return RoomClient.register(url, name)
}

function hasSynapse(command: string): boolean {
  try {
    execFileSync(command, ['-c', 'import synapse.app.homeserver'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
