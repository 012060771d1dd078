// SPDX-License-Identifier: Apache-2.0
import { decodeBase64 } from '@myelin/matrix/base64'
import type { ServerName } from '@myelin/matrix/ids'
import { isObject, type JsonObject, member } from '@myelin/matrix/json'
import { signingKeyIds, verifyJson } from '@myelin/matrix/signatures'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { KeyServer } from '@myelin/kit/settings'
import { type ServerKeyAnswer, serverKeysOf } from '@myelin/storage/federation/server-keys'
import type { Runtime } from '../../runtime/runtime.ts'
import { keepServerKeys } from './keep-keys.ts'
import { keyAnswerOf } from './key-answer.ts'
import type { KeyWanted } from './key-ring.ts'

type Needs = Pick<Runtime, 'db' | 'remote' | 'clock' | 'config' | 'serverName' | 'log'>

const AT_ONCE = 24
const SERVER_TIMEOUT_MS = 10_000
const NOTARY_TIMEOUT_MS = 20_000
const MAX_BYTES = 256 * 1024
/** The most servers in one query to a notary. */
const BATCH = 500
const MAX_BATCH_BYTES = 16 * 1024 * 1024

/**
 * Fetches the keys of each server from itself, a few servers at once.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server
 */
export async function askServers(rt: Needs, wanted: readonly KeyWanted[]): Promise<ServerKeyAnswer[]> {
  const servers = [...new Set(wanted.map(({ server }) => server))]
  const answers: ServerKeyAnswer[] = []
  const worker = async (): Promise<void> => {
    for (let server = servers.shift(); server !== undefined; server = servers.shift()) {
      const answer = await askServer(rt, server)
      if (answer) answers.push(answer)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, servers.length) }, worker))
  return answers
}

/** Returns a server's own key document; undefined where it sends no valid one. */
async function askServer(rt: Needs, server: ServerName): Promise<ServerKeyAnswer | undefined> {
  const ask = async (): Promise<ServerKeyAnswer> => {
    const document = await rt.remote.call(server, {
      method: 'GET',
      target: federationPath(['key', 'v2', 'server']),
      isUnsigned: true,
      timeoutMs: SERVER_TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    })
    const answer = keyAnswerOf(document, rt.clock.now())
    if (answer?.server !== server) throw new RemoteError('malformed', `the key document of ${server} is not valid`)
    return answer
  }
  return unlessRemote(rt, server, rt.remote.keyFetches.run(server, rt.clock.now(), ask))
}

/**
 * Queries the configured notaries, one after the other, for the keys still wanted; all servers in one query.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixkeyv2query
 */
export async function askNotaries(rt: Needs, wanted: readonly KeyWanted[]): Promise<ServerKeyAnswer[]> {
  const found = new Map<ServerName, ServerKeyAnswer>()
  const servers = new Set(wanted.map(({ server }) => server))
  const askable = new Set([...servers].filter((server) => rt.remote.notaryQuestions.mayAsk(server, rt.clock.now())))
  for (const notary of rt.config.federation.keyServers) {
    if (notary.serverName === rt.serverName) continue
    const left = wanted
      .filter(({ server }) => askable.has(server))
      .filter(({ server, keyId }) => !found.get(server)?.keys.some((key) => key.keyId === keyId))
    for (const batch of batchesOf(left)) {
      for (const answer of await askNotary(rt, notary, batch)) found.set(answer.server, answer)
    }
  }
  return [...found.values()]
}

async function askNotary(rt: Needs, notary: KeyServer, wanted: readonly KeyWanted[]): Promise<ServerKeyAnswer[]> {
  // A server name from the configuration, checked there.
  const name = notary.serverName as ServerName
  const trusted = await notaryKeys(rt, notary)
  const asked = new Set(wanted.map(({ server }) => server))
  const reply = await unlessRemote(
    rt,
    name,
    rt.remote.call(name, {
      method: 'POST',
      target: federationPath(['key', 'v2', 'query']),
      body: { server_keys: questionOf(wanted) },
      timeoutMs: NOTARY_TIMEOUT_MS,
      maxBytes: MAX_BATCH_BYTES,
    }),
  )
  const documents = reply && member(reply, 'server_keys')
  if (!Array.isArray(documents)) return []
  return documents.slice(0, 4 * BATCH).flatMap((document: unknown) => {
    if (!isObject(document) || !isVouchedFor(document, name, trusted)) return []
    const answer = keyAnswerOf(document, rt.clock.now())
    return answer && asked.has(answer.server) ? [answer] : []
  })
}

function isVouchedFor(document: JsonObject, notary: ServerName, trusted: ReadonlyMap<string, Uint8Array>): boolean {
  return signingKeyIds(document, notary).some((keyId) => {
    const key = trusted.get(keyId)
    return key !== undefined && verifyJson(document, notary, keyId, key)
  })
}

/** Returns the keys that a notary must sign with: the configured ones, or those that it publishes. */
async function notaryKeys(rt: Needs, notary: KeyServer): Promise<ReadonlyMap<string, Uint8Array>> {
  const keys = new Map<string, Uint8Array>()
  if (notary.verifyKeys) {
    for (const [keyId, encoded] of Object.entries(notary.verifyKeys)) {
      const bytes = decodeBase64(encoded)
      if (bytes) keys.set(keyId, bytes)
    }
    return keys
  }
  const name = notary.serverName as ServerName
  const now = rt.clock.now()
  const stored = (await serverKeysOf(rt.db.read, [name])).filter((key) => !key.isOld && key.validUntilTs >= now)
  const answer = stored.length > 0 ? undefined : await askServer(rt, name)
  if (answer) await keepServerKeys(rt, [answer])
  for (const key of answer?.keys ?? stored)
    if (!key.isOld && key.validUntilTs >= now) keys.set(key.keyId, key.publicKey)
  return keys
}

function questionOf(wanted: readonly KeyWanted[]): JsonObject {
  const servers = new Map<ServerName, Map<string, { minimum_valid_until_ts: number }>>()
  for (const { server, keyId, validAt } of wanted) {
    const keys = servers.get(server) ?? new Map<string, { minimum_valid_until_ts: number }>()
    const earlier = keys.get(keyId)?.minimum_valid_until_ts ?? 0
    servers.set(server, keys.set(keyId, { minimum_valid_until_ts: Math.max(earlier, validAt) }))
  }
  return Object.fromEntries([...servers].map(([server, keys]) => [server, Object.fromEntries(keys)]))
}

function* batchesOf(wanted: readonly KeyWanted[]): Generator<readonly KeyWanted[]> {
  for (let start = 0; start < wanted.length; start += BATCH) yield wanted.slice(start, start + BATCH)
}

/** Returns the answer, undefined after a failure of another server; internal errors are thrown. */
async function unlessRemote<T>(rt: Needs, server: ServerName, asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error
    if (error.fault === 'malformed') rt.remote.reportFailure(server, error)
    return undefined
  }
}
