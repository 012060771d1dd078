// SPDX-License-Identifier: Apache-2.0
import { verifyBytes } from '@myelin/matrix/signatures'

/** What must verify for an event to be believed: for each signer, one of its signatures over the text. */
export interface SignatureClaim {
  readonly text: string
  readonly signers: readonly (readonly { readonly signature: string; readonly key: Uint8Array }[])[]
}

/** Whether every signer really signed. */
export function claimHolds({ text, signers }: SignatureClaim): boolean {
  return signers.every((each) => each.some(({ signature, key }) => verifyBytes(text, signature, key)))
}
