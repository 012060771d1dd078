// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../processes/postgres-server.ts'
import { chanceOf } from '../chance.ts'
import { registerUsers } from '../clients/matrix-client.ts'
import { killedJoin, KILL_POINTS } from './killed-join.ts'
import { startTlsServers } from '../fake-servers/tls-servers.ts'
import { startServerProcess } from '../processes/server-process.ts'

/**
 * `node packages/testing/src/crash/crash-joins.ts [--members 600] [--database sqlite|postgres|URL] [--seed S] [--rounds 1]
 * [--points N]`: joins large rooms of other servers, kills the server at each of the first N kill points of a join, and checks
 * the rooms afterwards. Exits with 1 if members or messages are missing.
 */
const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '600' },
    database: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: Date.now().toString(36) },
    rounds: { type: 'string', default: '1' },
    points: { type: 'string', default: String(KILL_POINTS.length) },
  },
})
const postgres = values.database === 'postgres' ? await startPostgres() : undefined
const database = values.database === 'sqlite' ? undefined : (postgres?.url ?? values.database)
const servers = await startTlsServers(8, values.seed)
const server = await startServerProcess({ database, settings: servers.settings })
const faults: string[] = []
try {
  const [client] = await registerUsers(server.url, server.secret, ['joiner'])
  if (!client) throw new Error('no user could be registered')
  const target = { url: server.url, secret: server.secret, run: values.seed, own: server }
  for (let round = 0; round < Number(values.rounds); round++) {
    const chance = chanceOf(`${values.seed} ${round}`)
    for (const point of KILL_POINTS.slice(0, Number(values.points))) {
      const startedMs = performance.now()
      const wrong = await killedJoin(
        { server, servers, client, target, chance, members: Number(values.members) },
        point,
      )
      faults.push(...wrong)
      const verdict = wrong.length === 0 ? 'all is there' : wrong.join('\n')
      const tookS = ((performance.now() - startedMs) / 1000).toFixed(1)
      console.log(`killed after ${point.asked} (${point.afterMs.join(' to ')} ms): ${verdict}, after ${tookS} s`)
    }
  }
  const bin = new URL('../../../server/src/cli/bin.js', import.meta.url).pathname
  const config = join(server.folder, 'homeserver.yaml')
  const check = spawnSync(process.execPath, [bin, 'check-database', '--config', config], { encoding: 'utf8' })
  console.log(`${check.stdout}${check.stderr}`.trim())
  if (check.status !== 0) faults.push('the database contradicts itself')
  client.close()
} finally {
  await server.close()
  await servers.close()
  await postgres?.stop()
}
console.log(faults.length === 0 ? 'every join came to its end' : `seed ${values.seed}: ${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1
