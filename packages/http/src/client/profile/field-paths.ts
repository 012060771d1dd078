// SPDX-License-Identifier: Apache-2.0

/** Where the fields of a profile are: besides the spec's path the one from before, which some clients still try. */
export const fieldPaths = [
  '/_matrix/client/v3/profile/:userId/:keyName',
  '/_matrix/client/unstable/uk.tcpip.msc4133/profile/:userId/:keyName',
] as const
