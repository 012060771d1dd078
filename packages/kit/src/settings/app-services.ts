// SPDX-License-Identifier: Apache-2.0

/** An application service, as its registration file describes it. */
export interface AppServiceSettings {
  readonly id: string
  /** Its base URL, without a slash at the end; undefined for a service that is sent nothing. */
  readonly url: string | undefined
  /** The token by which it authenticates here, and the one by which this server authenticates to it. */
  readonly asToken: string
  readonly hsToken: string
  /** The localpart of its own user. */
  readonly senderLocalpart: string
  readonly users: readonly NamespaceSettings[]
  readonly aliases: readonly NamespaceSettings[]
  readonly rooms: readonly NamespaceSettings[]
  /** Its users are rate-limited like others; its own user never is. */
  readonly isRateLimited: boolean
  /** The third-party protocols that it bridges. */
  readonly protocols: readonly string[]
  /** The members of a transaction in which it gets typing, receipts and presence; none where it does not get them. */
  readonly ephemeralMembers: readonly EphemeralMember[]
  /** It gets changed device lists and the key counts of its devices (MSC3202). */
  readonly receivesDeviceLists: boolean
}

/** The name of the ephemeral data in a transaction: that of the specification, or that of MSC2409. */
export type EphemeralMember = 'ephemeral' | 'de.sorunome.msc2409.ephemeral'

/** IDs that an application service is responsible for. */
export interface NamespaceSettings {
  /** A regular expression that matches from the beginning of an ID; its end may be anywhere. */
  readonly pattern: string
  /** The IDs are reserved: other users and services cannot create them. */
  readonly isExclusive: boolean
}
