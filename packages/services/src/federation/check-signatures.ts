// SPDX-License-Identifier: Apache-2.0
import type { EventId, ServerName } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { signatureOf, signingKeyIds, verifyBytes } from '@myelin/matrix/signatures'
import { requiredSigners } from '@myelin/rules/events/required-signers'
import { signedFormOf } from '@myelin/rules/events/signing'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Runtime } from '../runtime.ts'
import { isKeyId, type KeyRing, type KeyWanted } from './key-ring.ts'
import { loadServerKeys } from './server-keys.ts'

type Needs = Pick<Runtime, 'db' | 'remote' | 'clock' | 'config' | 'serverName' | 'signingKey' | 'log'>

/** Nobody signs an event with more keys than this; the rest is not looked at. */
const MAX_KEYS_PER_SIGNER = 8
/** Some 60 us each, so that the main thread is held for a few milliseconds. */
const SLICE = 64

/**
 * The IDs of the events on which every required signature is there and verifies.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export async function checkEventSignatures(
  rt: Needs,
  version: RoomVersion,
  events: readonly Pdu[],
): Promise<ReadonlySet<EventId>> {
  const ring = await loadServerKeys(
    rt,
    events.flatMap((event) => requiredSigners(event, version).flatMap((signer) => keysOf(event, signer, version))),
  )
  const good = new Set<EventId>()
  for (const [index, event] of events.entries()) {
    if (index % SLICE === SLICE - 1) await new Promise<void>((resolve) => setImmediate(resolve))
    if (isSigned(event, version, ring)) good.add(event.id)
  }
  return good
}

function isSigned(event: Pdu, version: RoomVersion, ring: KeyRing): boolean {
  const signers = requiredSigners(event, version)
  if (signers.length === 0) return true
  const text = signedFormOf(event.json, version)
  return signers.every((signer) =>
    keysOf(event, signer, version).some(({ keyId, validAt }) => {
      const key = ring.keyFor(signer, keyId, validAt)
      return key !== undefined && verifyBytes(text, signatureOf(event.json, signer, keyId) ?? '', key)
    }),
  )
}

/** Keys must have been valid when the event says it was sent; in room versions 1 to 4 it is enough that they ever were. */
function keysOf(event: Pdu, signer: ServerName, version: RoomVersion): KeyWanted[] {
  const validAt = version.keysMustBeValidAtSigning ? Math.max(1, event.originServerTs) : 0
  return signingKeyIds(event.json, signer)
    .filter(isKeyId)
    .slice(0, MAX_KEYS_PER_SIGNER)
    .map((keyId) => ({ server: signer, keyId, validAt }))
}
