// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'

/** An event as a client read it. */
export interface SeenEvent {
  readonly id: string
  readonly type: string
  readonly stateKey?: string | undefined
  readonly marker?: string | undefined
}

/** A room as read back at the end of a run. */
export interface SeenRoom {
  readonly roomId: string
  readonly version: string
  readonly members: readonly string[]
  /** All of `/messages`, oldest first. */
  readonly messages: readonly SeenEvent[]
  /** All of `/state`. */
  readonly state: readonly SeenEvent[]
  /** The events that a follower of `/sync` in federation format received from the room's creation on. */
  readonly pdus: readonly JsonObject[]
}

/**
 * The events that a member received in one room by following `next_batch`, in order; gaps are filled through
 * `/messages`.
 */
export interface Stream {
  readonly user: string
  readonly roomId: string
  readonly events: readonly SeenEvent[]
}

/**
 * The events received when an old token was used again: after the first `had` events of the user's stream in the room.
 */
export interface Resumption {
  readonly user: string
  readonly roomId: string
  readonly had: number
  readonly events: readonly SeenEvent[]
}

/** The marker of an event in `/event` and `/context`; undefined if the event was not found. */
export interface Lookup {
  readonly roomId: string
  readonly eventId: string
  readonly event: string | undefined
  readonly context: string | undefined
}

/** A room of another server, by event ids. */
export interface RemoteRoomResult {
  /** The events that the other server sent and this one answered with 200. */
  readonly acknowledged: readonly string[]
  /** The events of a local user that were answered with 200. */
  readonly sent: readonly string[]
  /** The events that arrived at the other server, in transactions or when it fetched their ancestors. */
  readonly heard: readonly string[]
  /** All of `/messages`. */
  readonly messages: readonly string[]
}

/** The events that were pushed to a user's pusher, in the order in which they came. */
export interface PushedTo {
  readonly user: string
  readonly events: readonly string[]
}

/** Everything that was read over HTTP during and after the crashes. */
export interface Observation {
  readonly rooms: readonly SeenRoom[]
  readonly streams: readonly Stream[]
  readonly resumptions: readonly Resumption[]
  readonly lookups: readonly Lookup[]
  /** Markers of the to-device messages each user was given, in order. */
  readonly toDevice: readonly { readonly user: string; readonly markers: readonly string[] }[]
  /** The content downloaded for each acknowledged upload; undefined if it was not found. */
  readonly media: readonly { readonly uri: string; readonly text: string | undefined }[]
  readonly pushes: readonly PushedTo[]
  /** Absent where there was no other server. */
  readonly remoteRoom?: RemoteRoomResult | undefined
  readonly signer: { readonly serverName: string; readonly keyId: string; readonly publicKey: Uint8Array }
  /** From each kill to the first healthy answer. */
  readonly recoveriesMs: readonly number[]
  /** The maximum duration of a recovery, generous for busy machines. */
  readonly recoveryLimitMs: number
}
