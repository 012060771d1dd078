// SPDX-License-Identifier: Apache-2.0
import { describe } from 'node:test'
import { Playground } from '../../../../../scripts/federated/servers.ts'
import { createDatabase, testOnPostgres, testOnSqlite } from '../../databases.ts'
import { holdEncryptedConversation } from '../../clients/encrypted-conversation.ts'

describe('two people on two servers hold an encrypted conversation, through a partition, and a new device is seen and gets keys', () => {
  testOnSqlite('on SQLite', () => conversation([undefined, undefined]), { timeout: 120_000 })

  const onPostgres = async () => {
    const databases = [await createDatabase(), await createDatabase()] as const
    try {
      await conversation([databases[0].url, databases[1].url])
    } finally {
      await Promise.all(databases.map((database) => database.drop()))
    }
  }
  testOnPostgres('on PostgreSQL', onPostgres, { timeout: 120_000 })
})

async function conversation([first, second]: readonly [string | undefined, string | undefined]): Promise<void> {
  const playground = new Playground()
  try {
    const [one, two] = [await playground.gated('one', first), await playground.gated('two', second)]
    await holdEncryptedConversation({
      host: one.server,
      guest: two.server,
      part: () => [one, two].forEach(({ gate }) => gate.shut()),
      rejoin: () => [one, two].forEach(({ gate }) => gate.reopen()),
    })
  } finally {
    await playground.close()
  }
}
