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
}

/** IDs that an application service is responsible for. */
export interface NamespaceSettings {
  /** A regular expression that matches from the beginning of an ID; its end may be anywhere. */
  readonly pattern: string
  /** Nobody else may create such IDs. */
  readonly isExclusive: boolean
}
