// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { signatureOf, unsignedForm, verifyJson } from '@myelin/matrix/signatures'
import { crossSigningKeysOf } from '@myelin/storage/keys/cross-signing'
import type { CrossSigningKey, KeyUsage } from '@myelin/storage/keys/cross-signing'
import type { Tx } from '@myelin/storage/engine/database'
import { deviceKeysOf } from '@myelin/storage/keys/device-keys'
import { noteDeviceChange, noteSignature } from '@myelin/storage/keys/device-lists'
import { putKeySignature } from '@myelin/storage/keys/key-signatures'
import type { KeySignature } from '@myelin/storage/keys/key-signatures'
import type { Runtime } from '../runtime/runtime.ts'
import { deviceKeyOf, publicKeyOf } from './cross-signing-key.ts'
import type { PublicKey } from './cross-signing-key.ts'

/** Signed keys by user, and by device id or public key. */
export type SignedKeys = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>

/**
 * Publishes a user's signatures on keys. Returns the refused ones with the reason, by user and key.
 *
 * A self-signing key signs its owner's devices, devices sign their owner's master key, and a user-signing key signs the
 * master keys of others. Other signatures are refused.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload
 */
export async function uploadSignatures(
  rt: Pick<Runtime, 'db'>,
  signer: UserId,
  signedKeys: SignedKeys,
): Promise<JsonObject> {
  return rt.db.write(async (tx) => {
    const keys = await knownKeys(tx, signer, Object.keys(signedKeys) as UserId[])
    const failures = new Map<string, Map<string, JsonObject>>()
    const changed = new Set<UserId>()
    for (const { user, id, signed } of flat(signedKeys)) {
      const made = judged(signer, { user, id, signed }, targetOf(keys, signer, user, id))
      if (made instanceof MatrixError) {
        failures.set(user, (failures.get(user) ?? new Map<string, JsonObject>()).set(id, made.toBody()))
        continue
      }
      for (const signature of made) if (await putKeySignature(tx, signature)) changed.add(user)
    }
    for (const user of changed) await (user === signer ? noteDeviceChange(tx, user) : noteSignature(tx, signer, user))
    return Object.fromEntries([...failures].map(([user, ofKeys]) => [user, Object.fromEntries(ofKeys)]))
  })
}

type SignedKey = { readonly user: UserId; readonly id: string; readonly signed: JsonObject }
/** A stored key, and the keys that may sign it. */
type Target = { readonly key: JsonObject; readonly signers: readonly PublicKey[] }
type KnownKeys = {
  readonly devices: ReadonlyMap<string, JsonObject>
  readonly crossSigning: readonly CrossSigningKey[]
}

function flat(signedKeys: SignedKeys): SignedKey[] {
  return Object.entries(signedKeys).flatMap(([user, keys]) =>
    Object.entries(keys).map(([id, signed]) => ({ user: user as UserId, id, signed })),
  )
}

async function knownKeys(tx: Tx, signer: UserId, users: readonly UserId[]): Promise<KnownKeys> {
  const devices = await deviceKeysOf(tx, [signer])
  return {
    devices: new Map(devices.map(({ deviceId, keys }) => [deviceId, keys])),
    crossSigning: await crossSigningKeysOf(tx, [...new Set([signer, ...users])]),
  }
}

function targetOf(keys: KnownKeys, signer: UserId, user: UserId, id: string): Target | undefined {
  const keyOf = (owner: UserId, wanted: KeyUsage) =>
    keys.crossSigning.find(({ userId, usage }) => userId === owner && usage === wanted)?.key
  const signing = (usage: KeyUsage) => {
    const key = keyOf(signer, usage)
    return (key && publicKeyOf(key)) ?? []
  }
  const device = user === signer ? keys.devices.get(id) : undefined
  if (device) return { key: device, signers: [signing('self_signing')].flat() }
  const master = keyOf(user, 'master')
  if (!master || publicKeyOf(master)?.name !== id) return undefined
  if (user !== signer) return { key: master, signers: [signing('user_signing')].flat() }
  return { key: master, signers: [...keys.devices].flatMap(([deviceId, key]) => deviceKeyOf(deviceId, key) ?? []) }
}

/** Returns the signatures to store, or the reason why they are refused. */
function judged(
  signer: UserId,
  { user, id, signed }: SignedKey,
  target: Target | undefined,
): readonly KeySignature[] | MatrixError {
  if (!target) return new MatrixError('M_NOT_FOUND', 'no such key')
  if (canonicalJson(unsignedForm(signed)) !== canonicalJson(unsignedForm(target.key))) {
    return new MatrixError('M_INVALID_SIGNATURE', 'the signed key differs from the stored key')
  }
  const made = target.signers.flatMap((key) => {
    const signature = signatureOf(signed, signer, key.id)
    return signature === undefined ? [] : [{ key, signature }]
  })
  if (made.length === 0)
    return new MatrixError('M_INVALID_SIGNATURE', 'the key has no signature by a key that may sign it')
  if (!made.every(({ key }) => verifyJson(signed, signer, key.id, key.bytes))) {
    return new MatrixError('M_INVALID_SIGNATURE', 'a signature is not valid')
  }
  return made.map(({ key, signature }) => ({
    signer,
    signingKeyId: key.id,
    targetUser: user,
    targetId: id,
    signature,
  }))
}
