// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { withSignature } from '@myelin/matrix/signatures'
import { crossSigningKeysOf } from '@myelin/storage/keys/cross-signing'
import type { KeyUsage } from '@myelin/storage/keys/cross-signing'
import type { Read } from '@myelin/storage/engine/database'
import { deviceKeysOf } from '@myelin/storage/keys/device-keys'
import type { DeviceKeys } from '@myelin/storage/keys/device-keys'
import { signaturesOn } from '@myelin/storage/keys/key-signatures'
import type { KeySignature } from '@myelin/storage/keys/key-signatures'
import type { Runtime } from '../runtime/runtime.ts'
import { publicKeyOf } from './cross-signing-key.ts'
import { askDeviceKeys } from '../peers/device-keys.ts'
import type { ReportedKeys } from '../peers/device-keys.ts'
import { keptDeviceKeys } from '../device-lists/kept-device-keys.ts'
import type { Asker } from '../peers/ask-server.ts'
import { askServers } from './ask-servers.ts'
import { askedUsers } from './asked-users.ts'

/** Identity keys of users of this server, as one user may see them. */
export interface LocalKeys {
  /** By user and device; empty for a user without devices. */
  readonly deviceKeys: JsonObject
  /** By usage and user. */
  readonly crossSigningKeys: Readonly<Record<KeyUsage, JsonObject>>
}

/** Identity keys of users of all servers, and the servers that failed. */
export interface QueriedKeys extends LocalKeys {
  readonly failures: JsonObject
}

/**
 * Returns the identity keys of users with the signatures that `viewer` may see; queries other servers for theirs.
 *
 * `asked` maps users to device IDs; an empty list means all devices.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery
 */
export async function queryKeys(
  rt: Pick<Runtime, 'db' | 'serverName' | 'bus' | 'limits'> & Asker,
  viewer: UserId,
  asked: Readonly<Record<string, readonly string[]>>,
  timeoutMs?: number,
): Promise<QueriedKeys> {
  const { local, away } = askedUsers(rt.serverName, asked)
  const own = await ownKeys(rt, viewer, local)
  const [devices, master, selfSigning] = [
    own.deviceKeys,
    own.crossSigningKeys.master,
    own.crossSigningKeys.self_signing,
  ].map((keys) => new Map(Object.entries(keys))) as [Map<string, Json>, Map<string, Json>, Map<string, Json>]
  const add = (reported: ReportedKeys) => {
    for (const [user, keys] of reported.devices) devices.set(user, keys)
    for (const [user, key] of reported.master) master.set(user, key)
    for (const [user, key] of reported.selfSigning) selfSigning.set(user, key)
  }
  const { kept, unknown } = await keptDeviceKeys(rt, viewer, away)
  add(kept)
  const failures = await askServers(rt, viewer, unknown, timeoutMs, async (server, users, patienceMs) => {
    add(await askDeviceKeys(rt, server, users, patienceMs))
  })
  const crossSigningKeys = {
    master: Object.fromEntries(master),
    self_signing: Object.fromEntries(selfSigning),
    user_signing: own.crossSigningKeys.user_signing,
  }
  return { deviceKeys: Object.fromEntries(devices), crossSigningKeys, failures }
}

/** Returns the identity keys of users of this server. */
export async function ownKeys(
  rt: Pick<Runtime, 'db'>,
  viewer: UserId,
  local: ReadonlyMap<UserId, readonly string[]>,
): Promise<LocalKeys> {
  const users = [...local.keys()]
  const signed = signaturesByTarget(await signaturesOn(rt.db.read, viewer, users))
  const devices = new Map<UserId, Map<string, JsonObject>>(users.map((user) => [user, new Map()]))
  for (const device of await deviceKeysOf(rt.db.read, users)) {
    const wanted = local.get(device.userId)
    if (wanted?.length !== 0 && !wanted?.includes(device.deviceId)) continue
    const signatures = signed.get(device.userId)?.get(device.deviceId)
    devices.get(device.userId)?.set(device.deviceId, shownDevice(device, signatures))
  }
  return {
    deviceKeys: Object.fromEntries([...devices].map(([user, keys]) => [user, Object.fromEntries(keys)])),
    crossSigningKeys: await shownCrossSigningKeys(rt.db.read, viewer, users, signed),
  }
}

type SignaturesByTarget = ReadonlyMap<UserId, ReadonlyMap<string, readonly KeySignature[]>>

async function shownCrossSigningKeys(
  db: Read,
  viewer: UserId,
  users: readonly UserId[],
  signed: SignaturesByTarget,
): Promise<Record<KeyUsage, JsonObject>> {
  const keys = await crossSigningKeysOf(db, users)
  const withUsage = (wanted: KeyUsage) =>
    Object.fromEntries(
      keys
        .filter(({ usage, userId }) => usage === wanted && (usage !== 'user_signing' || userId === viewer))
        .map(({ userId, key }) => [userId, withSignatures(key, signed.get(userId)?.get(publicKeyOf(key)?.name ?? ''))]),
    )
  return {
    master: withUsage('master'),
    self_signing: withUsage('self_signing'),
    user_signing: withUsage('user_signing'),
  }
}

function shownDevice({ keys, displayName }: DeviceKeys, signatures: readonly KeySignature[] | undefined): JsonObject {
  const unsigned = displayName === null ? {} : { device_display_name: displayName }
  return { ...withSignatures(keys, signatures), unsigned }
}

function withSignatures(key: JsonObject, signatures: readonly KeySignature[] = []): JsonObject {
  return signatures.reduce<JsonObject>(
    (signed, { signer, signingKeyId, signature }) => withSignature(signed, signer, signingKeyId, signature),
    key,
  )
}

function signaturesByTarget(signatures: readonly KeySignature[]): SignaturesByTarget {
  const byUser = new Map<UserId, Map<string, KeySignature[]>>()
  for (const signature of signatures) {
    const byTarget = byUser.get(signature.targetUser) ?? new Map<string, KeySignature[]>()
    byUser.set(signature.targetUser, byTarget)
    const onTarget = byTarget.get(signature.targetId)
    if (onTarget) onTarget.push(signature)
    else byTarget.set(signature.targetId, [signature])
  }
  return byUser
}
