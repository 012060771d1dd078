// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import type { LivekitSettings } from '@myelin/kit/settings'
import type { JsonObject } from '@myelin/matrix/json'

/** The permissions of a token, as LiveKit names them. */
export interface LivekitGrant {
  readonly video: JsonObject
  /** The participant; absent in a token for the API. */
  readonly identity?: string
}

/** The lifetime of a token. */
const LIFETIME_S = 3600

/**
 * Returns an access token of LiveKit: a JSON Web Token that is signed with the API secret by HMAC-SHA256, valid for an hour.
 *
 * @param now the time in ms
 * @see https://docs.livekit.io/frontends/reference/tokens-grants/
 */
export function livekitToken({ key, secret }: LivekitSettings, { video, identity }: LivekitGrant, now: number): string {
  const notBefore = Math.floor(now / 1000)
  const header = encoded({ alg: 'HS256', typ: 'JWT' })
  const claims = encoded({
    iss: key,
    ...(identity === undefined ? {} : { sub: identity }),
    nbf: notBefore,
    exp: notBefore + LIFETIME_S,
    video,
  })
  const signature = createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url')
  return `${header}.${claims}.${signature}`
}

/** Returns what a participant may do: join one room, publish and subscribe. It may not create the room. */
export function joinGrant(room: string, identity: string): LivekitGrant {
  return {
    identity,
    video: { roomJoin: true, room, canPublish: true, canSubscribe: true, canUpdateOwnMetadata: true },
  }
}

function encoded(part: JsonObject): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
