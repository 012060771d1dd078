// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName, type ServerName } from '@myelin/matrix/ids'
import { isObject, type JsonObject, member, objectMember } from '@myelin/matrix/json'
import { type SigningKey, signJson } from '@myelin/matrix/signatures'
import { serverKeyAnswers, serverKeysOf, type StoredServerKey } from '@myelin/storage/federation/server-keys'
import type { Runtime } from '../runtime/runtime.ts'
import { askServers } from '../peers/trust/fetch-keys.ts'
import { keepServerKeys } from '../peers/trust/keep-keys.ts'
import { publishedKeys } from '../peers/trust/published-keys.ts'

type Needs = Pick<
  Runtime,
  'db' | 'limits' | 'remote' | 'clock' | 'config' | 'serverName' | 'signingKey' | 'otherKeys' | 'log'
>

/** A query for one server's key; without a key ID for all its keys. */
export interface KeyQuestion {
  readonly server: ServerName
  readonly keyId: string | undefined
  /** The time until which the answer should be valid, in milliseconds. */
  readonly minimumValidUntilTs: number
}

/** The most servers in one query; larger ones are refused. */
const MAX_SERVERS = 1000
const MAX_QUESTIONS = 5000
/**
 * The most servers that one unauthenticated query makes this server fetch keys from; for others the stored keys are
 * returned.
 */
const MAX_ASKED = 100

/**
 * Returns the queries in the body of a batch; throws `M_BAD_JSON`, or `M_TOO_LARGE` for too many servers.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixkeyv2query
 */
export function keyQuestionsOf(servers: JsonObject, now: number): KeyQuestion[] {
  const questions = Object.entries(servers).flatMap(([server, keys]): KeyQuestion[] => {
    if (!isServerName(server) || !isObject(keys)) throw new MatrixError('M_BAD_JSON', '`server_keys` is not valid')
    const named = Object.keys(keys)
    if (named.length === 0) return [{ server, keyId: undefined, minimumValidUntilTs: now }]
    return named.map((keyId) => {
      const least = member(objectMember(keys, keyId) ?? {}, 'minimum_valid_until_ts')
      return { server, keyId, minimumValidUntilTs: typeof least === 'number' ? least : now }
    })
  })
  const count = new Set(questions.map(({ server }) => server)).size
  if (count > MAX_SERVERS || questions.length > MAX_QUESTIONS) {
    throw new MatrixError('M_TOO_LARGE', `\`server_keys\` must name at most ${MAX_SERVERS} servers`)
  }
  return questions
}

/**
 * Returns the key documents of servers for some queries, with this server's signature as a notary.
 *
 * A server is queried if the stored documents lack the key, expire before the requested time, or are past the half of their
 * validity. A stored document with the key is returned even if its server is unreachable. Each queried server counts for the
 * limit of the requester's address.
 */
export async function answerKeyQuery(
  rt: Needs,
  address: string,
  questions: readonly KeyQuestion[],
): Promise<JsonObject[]> {
  const servers = [...new Set(questions.map(({ server }) => server))]
  const foreign = servers.filter((server) => server !== rt.serverName)
  const held = Map.groupBy(await serverKeysOf(rt.db.read, foreign), ({ server }) => server)
  const now = rt.clock.now()
  const stale = questions.filter(
    ({ server, ...key }) => server !== rt.serverName && !isFresh(held.get(server) ?? [], key, now),
  )
  const asked = new Set(stale.map(({ server }) => server).slice(0, MAX_ASKED))
  if (asked.size > 0) {
    rt.limits.check('remoteLookups', address)
    rt.limits.spend('remoteLookups', address, asked.size)
  }
  const fetched = await askServers(
    rt,
    [...asked].map((server) => ({ server, keyId: '', validAt: now })),
  )
  await keepServerKeys(rt, fetched)
  const answers: JsonObject[] = []
  const asking = Map.groupBy(questions, ({ server }) => server)
  for (const server of servers) answers.push(...(await answersAbout(rt, server, asking.get(server) ?? [])))
  return answers
}

/**
 * Returns whether the stored keys reach the requested time and have more than half of their validity left. Old keys do
 * not change any more.
 */
function isFresh(held: readonly StoredServerKey[], key: Omit<KeyQuestion, 'server'>, now: number): boolean {
  const named = held.filter(({ keyId, isOld }) => (key.keyId === undefined ? !isOld : keyId === key.keyId))
  return named.some(
    ({ isOld, validUntilTs, answerTs }) =>
      isOld || (validUntilTs >= key.minimumValidUntilTs && now < (answerTs + validUntilTs) / 2),
  )
}

async function answersAbout(rt: Needs, server: ServerName, questions: readonly KeyQuestion[]): Promise<JsonObject[]> {
  const { published, notary } = rt.otherKeys
  if (server === rt.serverName) return [signedBy(rt, publishedKeys(rt), notary)]
  const documents = await documentsAbout(rt, server, questions)
  return documents.map((document) => signedBy(rt, document, [rt.signingKey, ...published, ...notary]))
}

/**
 * Returns the stored documents with a requested key; all of them if no key is named. If none has the key, returns the newest
 * document while it is valid, which shows that the key does not exist.
 */
async function documentsAbout(rt: Needs, server: ServerName, questions: readonly KeyQuestion[]): Promise<JsonObject[]> {
  const stored = await serverKeyAnswers(rt.db.read, server)
  if (questions.some(({ keyId }) => keyId === undefined)) return stored.map(({ answer }) => parsed(answer))
  const keys = await serverKeysOf(rt.db.read, [server])
  const wanted = new Set(questions.map(({ keyId }) => keys.find((key) => key.keyId === keyId)?.answerTs))
  const newest = stored.at(-1)
  const isNewestValid = keys.some(
    ({ answerTs, isOld, validUntilTs }) => answerTs === newest?.answerTs && !isOld && validUntilTs >= rt.clock.now(),
  )
  return stored
    .filter((each) => wanted.has(each.answerTs) || (wanted.has(undefined) && each === newest && isNewestValid))
    .map(({ answer }) => parsed(answer))
}

/** Parses JSON of our own storage, which is canonical. */
function parsed(answer: string): JsonObject {
  return JSON.parse(answer) as JsonObject
}

function signedBy({ serverName }: Needs, document: JsonObject, keys: readonly SigningKey[]): JsonObject {
  return keys.reduce((signed, key) => signJson(signed, serverName, key), document)
}
