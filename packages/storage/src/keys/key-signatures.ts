// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'

/** A signature made after a key was uploaded. The target is a device, by its id, or a cross-signing key, by its public key. */
export interface KeySignature {
  readonly signer: UserId
  /** With its algorithm: `ed25519:…`. */
  readonly signingKeyId: string
  readonly targetUser: UserId
  readonly targetId: string
  readonly signature: string
}

/** Keeps a signature; false if it was known. */
export async function putKeySignature(tx: Tx, made: KeySignature): Promise<boolean> {
  const { signature } = made
  const kept = await tx
    .insertInto('key_signatures')
    .values({
      signer: made.signer,
      signing_key_id: made.signingKeyId,
      target_user: made.targetUser,
      target_id: made.targetId,
      signature,
    })
    .onConflict((at) =>
      at
        .columns(['target_user', 'target_id', 'signer', 'signing_key_id'])
        .doUpdateSet({ signature })
        .where('key_signatures.signature', '!=', signature),
    )
    .returning('signature')
    .executeTakeFirst()
  return kept !== undefined
}

/**
 * Returns the signatures on these users' keys that `viewer` may see: their own, and those the keys' owners made themselves.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#key-and-signature-security
 */
export async function signaturesOn(db: Read, viewer: UserId, users: readonly UserId[]): Promise<KeySignature[]> {
  const rows = await inChunks(users, (chunk) =>
    db
      .selectFrom('key_signatures')
      .selectAll()
      .where('target_user', 'in', chunk)
      .where((row) => row.or([row('signer', '=', row.ref('target_user')), row('signer', '=', viewer)]))
      .execute(),
  )
  return rows.map((row) => ({
    signer: row.signer,
    signingKeyId: row.signing_key_id,
    targetUser: row.target_user,
    targetId: row.target_id,
    signature: row.signature,
  }))
}

/** Drops the signatures on a key that is no more. */
export async function deleteSignaturesOn(tx: Tx, user: UserId, targetId: string): Promise<void> {
  await tx.deleteFrom('key_signatures').where('target_user', '=', user).where('target_id', '=', targetId).execute()
}
