// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import type { EventId, ServerName } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { signatureOf, signingKeyIds } from '@myelin/matrix/signatures'
import { requiredSigners } from '@myelin/rules/events/required-signers'
import { signedFormOf } from '@myelin/rules/events/signing'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Runtime } from '../../runtime/runtime.ts'
import { isKeyId, type KeyRing, type KeyWanted, MAX_VALIDITY_MS } from './key-ring.ts'
import { loadServerKeys } from './server-keys.ts'
import type { SignatureClaim } from './signature-claim.ts'
import { checkClaims } from './signature-workers.ts'

type Needs = Pick<Runtime, 'db' | 'remote' | 'clock' | 'config' | 'serverName' | 'signingKey' | 'otherKeys' | 'log'>

/** The most signatures of one server that are examined. */
const MAX_KEYS_PER_SIGNER = 8
/** Number of events whose signers are determined before yielding; a few microseconds each. */
const SLICE = 1000
/**
 * Returns the IDs of the events whose required signatures are all present and valid.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export async function checkEventSignatures(
  rt: Needs,
  version: RoomVersion,
  events: readonly Pdu[],
): Promise<ReadonlySet<EventId>> {
  const ring = await loadServerKeys(rt, await wantedBy(events, version, rt.clock.now() + MAX_VALIDITY_MS))
  const results = await checkClaims(claimsOf(events, version, ring), events.length)
  return new Set(events.filter((_, index) => results[index]).map(({ id }) => id))
}

/**
 * Returns the keys that events need, each once, at the latest time it is needed for; times in the far future are
 * omitted.
 */
export async function wantedBy(events: readonly Pdu[], version: RoomVersion, latest: number): Promise<KeyWanted[]> {
  const wanted = new Map<string, KeyWanted>()
  for (const [index, event] of events.entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn()
    for (const key of requiredSigners(event, version).flatMap((signer) => keysOf(event, signer, version))) {
      const name = `${key.server} ${key.keyId}`
      const isLater = key.validAt >= (wanted.get(name)?.validAt ?? 0)
      if (isLater && key.validAt <= latest) wanted.set(name, key)
    }
  }
  return [...wanted.values()]
}

/**
 * Yields the signature claim of each event. They are made on demand, because encoding the signed text costs nearly as
 * much as verifying it.
 */
export function* claimsOf(events: readonly Pdu[], version: RoomVersion, ring: KeyRing): Generator<SignatureClaim> {
  for (const event of events) {
    const signers = requiredSigners(event, version).map((signer) =>
      keysOf(event, signer, version).flatMap(({ keyId, validAt }) => {
        const key = ring.keyFor(signer, keyId, validAt)
        const signature = signatureOf(event.json, signer, keyId)
        return key && signature !== undefined ? [{ key, signature }] : []
      }),
    )
    const isHopeless = signers.some((each) => each.length === 0)
    yield { signers, text: isHopeless || signers.length === 0 ? '' : signedFormOf(event.json, version) }
  }
}

/**
 * Returns the keys that may verify an event. They must have been valid when it was sent; in room versions 1 to 4 at
 * any time.
 */
function keysOf(event: Pdu, signer: ServerName, version: RoomVersion): KeyWanted[] {
  const validAt = version.keysMustBeValidAtSigning ? Math.max(1, event.originServerTs) : 0
  return signingKeyIds(event.json, signer)
    .filter(isKeyId)
    .slice(0, MAX_KEYS_PER_SIGNER)
    .map((keyId) => ({ server: signer, keyId, validAt }))
}
