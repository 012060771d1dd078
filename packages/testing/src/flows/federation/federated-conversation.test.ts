// SPDX-License-Identifier: Apache-2.0
import { describe, test } from 'node:test'
import { Playground } from '../../../../../scripts/federated/servers.ts'
import { createDatabase } from '../../databases.ts'
import { holdEncryptedConversation } from '../../encrypted-conversation.ts'

const postgresUrl = process.env['MYELIN_TEST_POSTGRES']

describe('two people on two servers hold an encrypted conversation, through a partition, and a new device is seen and gets keys', () => {
  test('on SQLite', { timeout: 120_000 }, () => conversation([undefined, undefined]))

  test('on PostgreSQL', { timeout: 120_000 }, async () => {
    if (postgresUrl === undefined) throw new Error('run tests with npm test: it starts the PostgreSQL they need')
    const databases = [await createDatabase(postgresUrl), await createDatabase(postgresUrl)] as const
    try {
      await conversation([databases[0].url, databases[1].url])
    } finally {
      await Promise.all(databases.map((database) => database.drop()))
    }
  })
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
