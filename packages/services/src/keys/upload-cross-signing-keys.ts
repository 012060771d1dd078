// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { unsignedForm, verifyJson } from '@myelin/matrix/signatures'
import { crossSigningKeysOf, putCrossSigningKey } from '@myelin/storage/keys/cross-signing'
import type { KeyUsage } from '@myelin/storage/keys/cross-signing'
import type { Tx } from '@myelin/storage/engine/database'
import { noteDeviceChange } from '@myelin/storage/keys/device-lists'
import { devicesOf } from '@myelin/storage/accounts/devices'
import { deleteSignaturesOn } from '@myelin/storage/keys/key-signatures'
import { authenticateOperation } from '../accounts/interactive-auth.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { publicKeyOf } from './cross-signing-key.ts'
import type { PublicKey } from './cross-signing-key.ts'

/** Cross-signing keys by usage. */
export type CrossSigningUpload = Readonly<Partial<Record<KeyUsage, JsonObject>>>

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'limits' | 'serverName'>
type Keys = ReadonlyMap<KeyUsage, JsonObject>

const USAGES = ['master', 'self_signing', 'user_signing'] as const

/**
 * Publishes a user's cross-signing keys. Replacing a key needs user-interactive authentication, the first upload does not.
 * An upload of no keys changes nothing: clients use one to find out whether the server supports cross-signing.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload
 */
export async function uploadCrossSigningKeys(
  rt: Needs,
  { userId, appService }: Pick<Requester, 'userId' | 'appService'>,
  upload: CrossSigningUpload,
  auth: JsonObject | undefined,
): Promise<void> {
  const keys = keysIn(upload)
  // A request that continues an authentication may leave out the keys.
  const goesOn = keys.size === 0 && auth !== undefined && stringMember(auth, 'session') !== undefined
  if (keys.size === 0 && !goesOn) return
  if (!goesOn && (await rt.db.write((tx) => publish(tx, userId, keys, { mayReplace: appService !== undefined }))))
    return
  const agreed = await authenticateOperation(rt, {
    name: 'uploadCrossSigningKeys',
    userId,
    flows: [['m.login.password']],
    auth,
    parameters: { ...upload },
  })
  await rt.db.write((tx) => publish(tx, userId, keysIn(agreed), { mayReplace: true }))
}

function keysIn(upload: JsonObject | CrossSigningUpload): Keys {
  return new Map(
    USAGES.flatMap((usage) => {
      const key = objectMember(upload as JsonObject, usage)
      return key ? [[usage, withoutUnsigned(key)] as const] : []
    }),
  )
}

/** Stores the keys. Returns false without a change if it would replace keys and is not allowed to. */
async function publish(tx: Tx, userId: UserId, keys: Keys, { mayReplace }: { mayReplace: boolean }): Promise<boolean> {
  const held: Keys = new Map((await crossSigningKeysOf(tx, [userId])).map(({ usage, key }) => [usage, key]))
  const heldMaster = held.get('master')
  await check(tx, userId, keys, heldMaster)
  if ([...keys].every(([usage, key]) => isSameKey(key, held.get(usage)))) return true
  if (heldMaster && !mayReplace) return false
  for (const [usage, key] of keys) {
    const before = held.get(usage)
    const name = before && publicKeyOf(before)?.name
    if (name !== undefined && !isSameKey(key, before)) await deleteSignaturesOn(tx, userId, name)
    await putCrossSigningKey(tx, { userId, usage, key })
  }
  await noteDeviceChange(tx, userId)
  return true
}

async function check(tx: Tx, userId: UserId, keys: Keys, heldMaster: JsonObject | undefined): Promise<void> {
  const masterKey = keys.get('master') ?? heldMaster
  if (!masterKey) throw new MatrixError('M_MISSING_PARAM', '`master_key` is missing: the user has none yet')
  const master = checkedKey(userId, 'master', masterKey)
  const deviceIds = new Set((await devicesOf(tx, userId)).map(({ deviceId }) => deviceId))
  for (const [usage, key] of keys) {
    const { name } = checkedKey(userId, usage, key)
    if (deviceIds.has(name)) throw new MatrixError('M_FORBIDDEN', `the ${usage} key has the ID of a device`)
    if (usage !== 'master' && !verifyJson(key, userId, master.id, master.bytes)) {
      throw new MatrixError('M_INVALID_SIGNATURE', `the ${usage} key is not signed by the master key`)
    }
  }
}

function checkedKey(userId: UserId, usage: KeyUsage, key: JsonObject): PublicKey {
  const usages = member(key, 'usage')
  const isFor = Array.isArray(usages) && (usages as readonly unknown[]).includes(usage)
  const publicKey = publicKeyOf(key)
  if (!publicKey || !isFor || member(key, 'user_id') !== userId) {
    throw new MatrixError('M_INVALID_PARAM', `the ${usage} key has another user ID or usage`)
  }
  return publicKey
}

/** Returns whether two keys are equal apart from their signatures. */
function isSameKey(key: JsonObject, held: JsonObject | undefined): boolean {
  return held !== undefined && canonicalJson(unsignedForm(key)) === canonicalJson(unsignedForm(held))
}

function withoutUnsigned(key: JsonObject): JsonObject {
  const { unsigned: _unsigned, ...kept } = key
  return kept
}
