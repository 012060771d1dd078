// SPDX-License-Identifier: Apache-2.0
import { verifyBytes } from '@myelin/matrix/signatures'

/** The signatures that an event needs: for each signer, one of its signatures over the text must be valid. */
export interface SignatureClaim {
  readonly text: string
  readonly signers: readonly (readonly { readonly signature: string; readonly key: Uint8Array }[])[]
}

/** Returns whether every signer has a valid signature. */
export function claimHolds({ text, signers }: SignatureClaim): boolean {
  return signers.every((each) => each.some(({ signature, key }) => verifyBytes(text, signature, key)))
}
