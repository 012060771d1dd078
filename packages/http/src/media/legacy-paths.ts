// SPDX-License-Identifier: Apache-2.0
const VERSIONS = ['v3', 'r0', 'v1']

/** Returns the paths of an operation of the media repository under all its versions. */
export function legacyPaths(rest: string): string[] {
  return VERSIONS.map((version) => `/_matrix/media/${version}/${rest}`)
}
