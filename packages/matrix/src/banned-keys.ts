// SPDX-License-Identifier: Apache-2.0
import { encodeBase64 } from './base64.ts'

/** Keys whose private half has been published: ELEMENTSEC-2025-1670 (shipped in a deployment's defaults). */
const BANNED: ReadonlySet<string> = new Set(['l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og'])

/** Returns whether a key's private half is public, so that its signatures prove nothing. */
export function isBannedKey(publicKey: Uint8Array): boolean {
  return BANNED.has(encodeBase64(publicKey))
}
