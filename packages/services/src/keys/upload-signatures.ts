// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { signatureOf, unsignedForm, verifyJson } from '@myelin/matrix/signatures'
import { crossSigningKeysOf } from '@myelin/storage/keys/cross-signing'
import type { KeyUsage } from '@myelin/storage/keys/cross-signing'
import type { Read, Tx } from '@myelin/storage/engine/database'
import { deviceKeysOf } from '@myelin/storage/keys/device-keys'
import { noteDeviceChange, noteSignature } from '@myelin/storage/keys/device-lists'
import { putKeySignature } from '@myelin/storage/keys/key-signatures'
import type { KeySignature } from '@myelin/storage/keys/key-signatures'
import type { Runtime } from '../runtime/runtime.ts'
import { deviceKeyOf, publicKeyOf } from './cross-signing-key.ts'
import type { PublicKey } from './cross-signing-key.ts'

/** The estimated costs of verifying a signature, and of judging a key beside that. */
const VERIFICATION_COST_US = 100
const JUDGEMENT_COST_US = 10

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
  const users = Object.keys(signedKeys) as UserId[]
  // Verified outside of the unit, which holds the log; again where a key changes meanwhile.
  for (;;) {
    const keys = await knownKeys(rt.db.read, signer, users)
    const { made, failures } = await judgeAll(keys, signer, signedKeys)
    if (made.length === 0) return failures
    const targets = [...new Set(made.map(({ targetUser }) => targetUser))]
    const isStored = await rt.db.write(async (tx) => {
      if (!isSame(await knownKeys(tx, signer, targets), keys)) return false
      await putAll(tx, signer, made)
      return true
    })
    if (isStored) return failures
  }
}

interface Judgement {
  readonly made: readonly KeySignature[]
  /** The reasons of refusals by user and key. */
  readonly failures: JsonObject
}

async function judgeAll(keys: KnownKeys, signer: UserId, signedKeys: SignedKeys): Promise<Judgement> {
  const all: KeySignature[] = []
  const failures = new Map<string, Map<string, JsonObject>>()
  for (const [user, ofUser] of Object.entries(signedKeys) as [UserId, SignedKeys[string]][]) {
    for (const [id, signed] of Object.entries(ofUser)) {
      const target = targetOf(keys, signer, user, id)
      const made = await judged(signer, { user, id, signed }, target)
      if (!(made instanceof MatrixError)) all.push(...made)
      else failures.set(user, (failures.get(user) ?? new Map<string, JsonObject>()).set(id, made.toBody()))
      await step(JUDGEMENT_COST_US)
    }
  }
  return { made: all, failures: Object.fromEntries([...failures].map(([user, of]) => [user, Object.fromEntries(of)])) }
}

async function putAll(tx: Tx, signer: UserId, signatures: readonly KeySignature[]): Promise<void> {
  const changed = new Set<UserId>()
  for (const signature of signatures) if (await putKeySignature(tx, signature)) changed.add(signature.targetUser)
  for (const user of changed) await (user === signer ? noteDeviceChange(tx, user) : noteSignature(tx, signer, user))
}

type SignedKey = { readonly user: UserId; readonly id: string; readonly signed: JsonObject }
/** A stored key, and the keys that may sign it. */
type Target = { readonly key: JsonObject; readonly signers: readonly PublicKey[] }
type KnownKeys = {
  readonly devices: ReadonlyMap<string, JsonObject>
  /** The public keys of these devices. */
  readonly deviceSigners: readonly PublicKey[]
  /** Cross-signing keys by usage and owner. */
  readonly crossSigning: ReadonlyMap<string, JsonObject>
}

async function knownKeys(db: Read, signer: UserId, users: readonly UserId[]): Promise<KnownKeys> {
  const devices = await deviceKeysOf(db, [signer])
  const crossSigning = await crossSigningKeysOf(db, [...new Set([signer, ...users])])
  return {
    devices: new Map(devices.map(({ deviceId, keys }) => [deviceId, keys])),
    deviceSigners: devices.flatMap(({ deviceId, keys }) => deviceKeyOf(deviceId, keys) ?? []),
    crossSigning: new Map(crossSigning.map(({ userId, usage, key }) => [nameOf(userId, usage), key])),
  }
}

/** Returns whether keys are what they were among these. */
function isSame(keys: KnownKeys, among: KnownKeys): boolean {
  const isKept = (now: ReadonlyMap<string, JsonObject>, before: ReadonlyMap<string, JsonObject>) =>
    [...now].every(([name, key]) => JSON.stringify(key) === JSON.stringify(before.get(name)))
  const isSameSize = keys.devices.size === among.devices.size
  return isSameSize && isKept(keys.devices, among.devices) && isKept(keys.crossSigning, among.crossSigning)
}

const nameOf = (user: UserId, usage: KeyUsage) => `${usage} ${user}`

function targetOf(keys: KnownKeys, signer: UserId, user: UserId, id: string): Target | undefined {
  const keyOf = (owner: UserId, wanted: KeyUsage) => keys.crossSigning.get(nameOf(owner, wanted))
  const signing = (usage: KeyUsage) => {
    const key = keyOf(signer, usage)
    return (key && publicKeyOf(key)) ?? []
  }
  const device = user === signer ? keys.devices.get(id) : undefined
  if (device) return { key: device, signers: [signing('self_signing')].flat() }
  const master = keyOf(user, 'master')
  if (!master || publicKeyOf(master)?.name !== id) return undefined
  if (user !== signer) return { key: master, signers: [signing('user_signing')].flat() }
  return { key: master, signers: keys.deviceSigners }
}

/** Returns the signatures to store, or the reason why they are refused. */
async function judged(
  signer: UserId,
  { user, id, signed }: SignedKey,
  target: Target | undefined,
): Promise<readonly KeySignature[] | MatrixError> {
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
  for (const { key } of made) {
    const isValid = verifyJson(signed, signer, key.id, key.bytes)
    await step(VERIFICATION_COST_US)
    if (!isValid) return new MatrixError('M_INVALID_SIGNATURE', 'a signature is not valid')
  }
  return made.map(({ key, signature }) => ({
    signer,
    signingKeyId: key.id,
    targetUser: user,
    targetId: id,
    signature,
  }))
}
