// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { isServerName, isUserId } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { isObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { IncomingReply } from '@myelin/remote/transport'
import type { Runtime } from '../runtime/runtime.ts'

/** An identity server, and the user's access token there. */
export interface IdentityServer {
  readonly host: string
  readonly accessToken: string
}

/** An e-mail address or a phone number. */
export interface ThirdPartyId {
  readonly medium: string
  readonly address: string
}

/** A stored invite: what the room's `m.room.third_party_invite` needs. */
export interface StoredInvite {
  readonly token: string
  readonly displayName: string
  readonly keys: readonly { readonly publicKey: string; readonly validityUrl: string | undefined }[]
}

type Needs = Pick<Runtime, 'remote'>

const TIMEOUT_MS = 10_000
const MAX_BYTES = 64 * 1024
const MAX_KEYS = 10
const MAX_TEXT = 1024

/**
 * Returns the user whom an identity server has bound to an address; undefined where there is none. The address is sent as a hash
 * where the server can look up hashes.
 *
 * @throws RemoteError where the identity server fails or answers nonsense
 * @see https://spec.matrix.org/v1.19/identity-service-api/#post_matrixidentityv2lookup
 */
export async function lookUpUser(
  rt: Needs,
  server: IdentityServer,
  { medium, address }: ThirdPartyId,
): Promise<UserId | undefined> {
  const details = await ask(rt, server, 'hash_details')
  const algorithms = member(details, 'algorithms')
  const pepper = stringMember(details, 'lookup_pepper')
  const can = (name: string) => Array.isArray(algorithms) && (algorithms as readonly unknown[]).includes(name)
  if (pepper === undefined || !(can('sha256') || can('none'))) throw nonsense(server)
  const algorithm = can('sha256') ? 'sha256' : 'none'
  const text = `${address} ${medium}`
  const asked = algorithm === 'none' ? text : hash('sha256', `${text} ${pepper}`, 'base64url')
  const answer = await ask(rt, server, 'lookup', { addresses: [asked], algorithm, pepper })
  const found = stringMember(objectMember(answer, 'mappings') ?? {}, asked)
  if (found === undefined || isUserId(found)) return found
  throw nonsense(server)
}

/**
 * Has an identity server keep an invite, and tell the address of it.
 *
 * @param invite the room, the sender and what the message names of them, in the wire format
 * @see https://spec.matrix.org/v1.19/identity-service-api/#post_matrixidentityv2store-invite
 */
export async function storeInvite(
  rt: Needs,
  server: IdentityServer,
  id: ThirdPartyId,
  invite: JsonObject,
): Promise<StoredInvite> {
  const { medium, address } = id
  const answer = await ask(rt, server, 'store-invite', { ...invite, medium, address })
  const [token, displayName] = [stringMember(answer, 'token'), stringMember(answer, 'display_name')]
  const listed = member(answer, 'public_keys')
  const keys = (Array.isArray(listed) ? (listed as readonly unknown[]) : []).slice(0, MAX_KEYS).flatMap((key) => {
    const publicKey = isObject(key) ? stringMember(key, 'public_key') : undefined
    if (publicKey === undefined || !isObject(key)) return []
    return [{ publicKey, validityUrl: stringMember(key, 'key_validity_url') }]
  })
  const texts = [token, displayName, ...keys.flatMap(({ publicKey, validityUrl }) => [publicKey, validityUrl ?? ''])]
  const fits = texts.every((each) => each !== undefined && each.length <= MAX_TEXT)
  if (!token || displayName === undefined || keys.length === 0 || !fits) throw nonsense(server)
  return { token, displayName, keys }
}

/** Sends a request with the user's token; redirects are not followed, and the address check of other servers applies. */
async function ask(
  rt: Needs,
  { host, accessToken }: IdentityServer,
  path: string,
  body?: JsonObject,
): Promise<JsonObject> {
  if (!isServerName(host)) throw new RemoteError('unreachable', `${host} is no server name`)
  const reply = await rt.remote.fetchPage(new URL(`https://${host}/_matrix/identity/v2/${path}`), {
    timeoutMs: TIMEOUT_MS,
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${accessToken}`,
      accept: 'application/json',
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const answer = objectIn(await textOf(reply))
  if (reply.status === 200 && answer) return answer
  const errcode = answer && stringMember(answer, 'errcode')
  throw new RemoteError('refused', `${host} answered ${reply.status} to ${path}`, {
    status: reply.status,
    ...(errcode === undefined ? {} : { errcode }),
  })
}

function objectIn(text: string): JsonObject | undefined {
  try {
    const json = parseJson(text)
    return isObject(json) ? json : undefined
  } catch {
    return undefined
  }
}

async function textOf({ body }: IncomingReply): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > MAX_BYTES) throw new RemoteError('malformed', 'the answer of an identity server is too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function nonsense({ host }: IdentityServer): RemoteError {
  return new RemoteError('malformed', `${host} does not answer as an identity server`)
}
