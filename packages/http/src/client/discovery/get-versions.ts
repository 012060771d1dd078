// SPDX-License-Identifier: Apache-2.0
import type { ServiceConfig } from '@myelin/kit/settings'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { recordOf } from '../../reply-schemas.ts'

/** Clients search this list for single versions, so it has all of them, not only the last. */
const VERSIONS = [
  ...['r0.0.1', 'r0.1.0', 'r0.2.0', 'r0.3.0', 'r0.4.0', 'r0.5.0', 'r0.6.0', 'r0.6.1'],
  ...Array.from({ length: 19 }, (_, index) => `v1.${index + 1}`),
]

/**
 * The implemented features that the spec does not have, or has under another name. `unstable-features.test.ts` calls each.
 */
const UNSTABLE_FEATURES = [
  'com.beeper.msc4169',
  'fi.mau.msc2815',
  'org.matrix.e2e_cross_signing',
  'org.matrix.msc2285.stable',
  'org.matrix.msc2432',
  'org.matrix.msc3391',
  'org.matrix.msc3440.stable',
  'org.matrix.msc3771',
  'org.matrix.msc3773',
  'org.matrix.msc3814',
  'org.matrix.msc3827.stable',
  'org.matrix.msc3874',
  'org.matrix.msc3881',
  'org.matrix.msc3912',
  'org.matrix.msc3916.stable',
  'org.matrix.msc3981',
  'org.matrix.msc4069',
  'org.matrix.msc4140',
  'org.matrix.msc4143',
  'org.matrix.msc4155',
  'org.matrix.msc4222',
  'org.matrix.msc4306',
  'org.matrix.msc4354',
  'org.matrix.msc4380.stable',
  'org.matrix.simplified_msc3575',
  'uk.half-shot.msc2666.query_mutual_rooms.stable',
  'uk.tcpip.msc4133',
  'uk.tcpip.msc4133.stable',
]

/** The part of the flag's name for each preset whose rooms are encrypted by default. */
const ENCRYPTED_NAMES = {
  private_chat: 'private',
  public_chat: 'public',
  trusted_private_chat: 'trusted_private',
} as const

/** Returns those that settings enable. */
function configuredFeatures({ presence, push, rooms }: Pick<ServiceConfig, 'presence' | 'push' | 'rooms'>): string[] {
  return [
    ...(presence.isEnabled ? ['org.matrix.msc3026.busy_presence'] : []),
    ...rooms.encryptedPresets.map((preset) => `io.element.e2ee_forced.${ENCRYPTED_NAMES[preset]}`),
    ...(push.withEncryptedEvents ? ['org.matrix.msc4028'] : []),
  ]
}

/**
 * Returns the versions of the spec that this server implements.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions
 */
export const getVersions = endpoint({
  id: 'getVersions',
  method: 'GET',
  path: '/_matrix/client/versions',
  access: 'none',
  reply: Type.Object({ versions: Type.Array(Type.String()), unstable_features: recordOf(Type.Boolean()) }),

  async handle(_, rt) {
    const features = [...UNSTABLE_FEATURES, ...configuredFeatures(rt.config)]
    const flags = Object.fromEntries(features.map((name) => [name, true]))
    return { versions: VERSIONS, unstable_features: flags }
  },
})
