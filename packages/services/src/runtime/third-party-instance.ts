// SPDX-License-Identifier: Apache-2.0

/** A network of an application service, which has a room directory of its own. */
export interface ThirdPartyInstance {
  readonly serviceId: string
  readonly networkId: string
}

/** Returns the `instance_id` of a network, in the form that Synapse uses. */
export function printInstance({ serviceId, networkId }: ThirdPartyInstance): string {
  return `${serviceId}|${networkId}`
}

/** Parses an ID of {@link printInstance}; returns undefined for other texts. */
export function parseInstance(text: string): ThirdPartyInstance | undefined {
  const bar = text.indexOf('|')
  return bar === -1 ? undefined : { serviceId: text.slice(0, bar), networkId: text.slice(bar + 1) }
}
