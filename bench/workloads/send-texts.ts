// SPDX-License-Identifier: Apache-2.0
import { latencyOf, round } from '@myelin/testing/latency'
import { eventBody, namesFor, registerMany, roomWith, sendPath } from './fixture.ts'
import { Texts } from './texts.ts'
import type { Workload } from './workload.ts'

const SENDERS = 32

/** Sends of texts in two scripts while they are indexed for search. */
export const search = sends('search', '32 senders of texts in two scripts, which are indexed', true)

/** The same with search disabled: compare the processor time of a message, and run both in turns. */
export const searchOff = sends('search-off', '32 senders of texts in two scripts, search disabled', false)

function sends(name: string, title: string, isSearched: boolean): Workload {
  return {
    name,
    title,
    settings: `enable_search: ${isSearched}\n`,
    async run({ target, seconds, progress }) {
      progress(`${name}: making the room`)
      const clients = await registerMany(target, namesFor(target, name, SENDERS))
      const room = await roomWith(clients)
      progress(`${name}: ${seconds} s`)
      const texts = new Texts()
      const durationsMs: number[] = []
      const [startMs, startedMs] = [target.own?.processorMs() ?? 0, performance.now()]
      let serial = 0
      await Promise.all(
        clients.map(async (client) => {
          while (performance.now() < startedMs + seconds * 1000) {
            const own = serial++
            const sentMs = performance.now()
            await client.send('PUT', sendPath(room, `t${own}`), eventBody(texts.next(own)))
            durationsMs.push(performance.now() - sentMs)
          }
        }),
      )
      const elapsedS = (performance.now() - startedMs) / 1000
      // What is indexed after the last send counts as well.
      await new Promise((resolve) => setTimeout(resolve, 1000))
      const processorMs = (target.own?.processorMs() ?? 0) - startMs
      for (const client of clients) client.close()
      const cost = target.own && { 'server CPU us/message': Math.round((processorMs * 1000) / durationsMs.length) }
      return [
        { senders: SENDERS, 'messages/s': round(durationsMs.length / elapsedS), ...latencyOf(durationsMs), ...cost },
      ]
    },
  }
}
