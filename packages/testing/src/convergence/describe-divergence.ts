// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { viewOf } from './agreement.ts'
import type { Simulation } from './simulation.ts'

const STATUS = ['', 'soft-failed', 'rejected']
const TELLING = ['membership', 'body', 'topic', 'name', 'join_rule']

/**
 * Yields a line for each event of each server, in the order of its timeline, outliers first.
 *
 * It helps to find the reason for a difference between servers.
 */
export async function* describeDivergence(simulation: Simulation): AsyncGenerator<string> {
  for (const server of simulation.network.servers) {
    const view = await viewOf(simulation, server)
    const people = view.joined.map(({ userId }) => userId).join(' ')
    yield `${server.name}: heads ${named(view.extremities)}; in the room: ${people || 'nobody'}`
    for (const event of [...view.ledger.events.values()].toSorted(byPlace)) yield `  ${line(event)}`
  }
}

const named = (ids: readonly string[]) => ids.map((id) => id.slice(0, 7)).join(' ')

const byPlace = (a: StoredEvent, b: StoredEvent) =>
  (a.position ?? -Infinity) - (b.position ?? -Infinity) || a.pdu.depth - b.pdu.depth

function line({ position, status, pdu, stateBefore, stateAfter }: StoredEvent): string {
  const said = TELLING.flatMap((key) => stringMember(pdu.content, key) ?? [])
  const parts = [
    position === null ? 'outside' : String(position),
    STATUS[status],
    named([pdu.id]),
    `depth ${pdu.depth}`,
    pdu.sender,
    pdu.type,
    pdu.stateKey,
    ...said,
    `after ${named(pdu.prevEvents)}`,
    `by ${named(pdu.authEvents)}`,
    `state ${stateBefore} ${stateAfter}`,
  ]
  return parts.filter((part) => part !== undefined && part !== '').join(' ')
}
