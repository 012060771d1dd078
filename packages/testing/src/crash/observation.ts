// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'

/** An event as a client read it. */
export interface SeenEvent {
  readonly id: string
  readonly type: string
  readonly stateKey?: string | undefined
  readonly marker?: string | undefined
}

/** A room as read back when all was over. */
export interface SeenRoom {
  readonly roomId: string
  readonly version: string
  readonly members: readonly string[]
  /** All of `/messages`, oldest first. */
  readonly messages: readonly SeenEvent[]
  /** All of `/state`. */
  readonly state: readonly SeenEvent[]
  /** What somebody saw who followed `/sync` in the federation format from the room's beginning. */
  readonly pdus: readonly JsonObject[]
}

/** What a member got who followed `next_batch` all along, in one room, in order; gaps filled through `/messages`. */
export interface Stream {
  readonly user: string
  readonly roomId: string
  readonly events: readonly SeenEvent[]
}

/** What came when an old token was used again: after the first `had` events of the user's stream in the room. */
export interface Resumption {
  readonly user: string
  readonly roomId: string
  readonly had: number
  readonly events: readonly SeenEvent[]
}

/** What `/event` and `/context` say of one event: its marker, or nothing where it was not found. */
export interface Lookup {
  readonly roomId: string
  readonly eventId: string
  readonly event: string | undefined
  readonly context: string | undefined
}

/** A room of another server, by event ids. */
export interface RemoteRoomResult {
  /** What the other server sent and we answered with 200. */
  readonly acknowledged: readonly string[]
  /** What a user of ours sent and we answered with 200. */
  readonly sent: readonly string[]
  /** What came to the other server, by itself or when it asked for what the rest follows. */
  readonly heard: readonly string[]
  /** All of `/messages`. */
  readonly messages: readonly string[]
}

/** Everything that was read over HTTP during and after the crashes. */
export interface Observation {
  readonly rooms: readonly SeenRoom[]
  readonly streams: readonly Stream[]
  readonly resumptions: readonly Resumption[]
  readonly lookups: readonly Lookup[]
  /** Markers of the to-device messages each user was given, in order. */
  readonly toDevice: readonly { readonly user: string; readonly markers: readonly string[] }[]
  /** What a download of each acknowledged upload gave; undefined for nothing. */
  readonly media: readonly { readonly uri: string; readonly text: string | undefined }[]
  /** Absent where there was no other server. */
  readonly remoteRoom?: RemoteRoomResult | undefined
  readonly signer: { readonly serverName: string; readonly keyId: string; readonly publicKey: Uint8Array }
  /** From each kill to the first healthy answer. */
  readonly recoveriesMs: readonly number[]
  /** How long a recovery may take; a busy machine needs a patient judge. */
  readonly recoveryLimitMs: number
}
