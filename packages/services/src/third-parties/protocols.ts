// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isObject, member, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { askAboutThirdParties } from '../peers/third-parties.ts'
import { appServices } from '../runtime/app-services.ts'
import { printInstance } from '../runtime/third-party-instance.ts'
import type { Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'remote' | 'log' | 'config'>

/** A third-party protocol, in the wire format. */
export interface ThirdPartyProtocol {
  readonly user_fields: readonly string[]
  readonly location_fields: readonly string[]
  readonly icon: string
  readonly field_types: JsonObject
  readonly instances: readonly JsonObject[]
}

/**
 * Returns the third-party protocols that the application services bridge, by name.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyprotocols
 */
export async function thirdPartyProtocols(rt: Needs): Promise<Readonly<Record<string, ThirdPartyProtocol>>> {
  const names = new Set(appServices(rt.config).all.flatMap(({ settings }) => settings.protocols))
  const found = await Promise.all([...names].map(async (name) => [name, await knownProtocol(rt, name)] as const))
  return Object.fromEntries(found.flatMap(([name, protocol]) => (protocol ? [[name, protocol]] : [])))
}

/**
 * Returns a third-party protocol, with the instances of all application services that bridge it.
 *
 * @throws MatrixError `M_NOT_FOUND` where no application service describes it
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyprotocolprotocol
 */
export async function thirdPartyProtocol(rt: Needs, name: string): Promise<ThirdPartyProtocol> {
  const protocol = await knownProtocol(rt, name)
  if (!protocol) throw new MatrixError('M_NOT_FOUND', 'unknown third-party protocol')
  return protocol
}

async function knownProtocol(rt: Needs, name: string): Promise<ThirdPartyProtocol | undefined> {
  const asked = appServices(rt.config).withProtocol(name)
  const answers = await askAboutThirdParties(rt, asked, { path: `protocol/${encodeURIComponent(name)}` })
  const described = answers.flatMap(({ service, answer }) => protocolIn(answer, service.settings.id) ?? [])
  const [first] = described
  return first && { ...first, instances: described.flatMap(({ instances }) => instances) }
}

/** Returns the protocol that an application service describes; undefined where a member is missing or wrong. */
function protocolIn(answer: Json, serviceId: string): ThirdPartyProtocol | undefined {
  if (!isObject(answer)) return undefined
  const users = textsIn(member(answer, 'user_fields'))
  const locations = textsIn(member(answer, 'location_fields'))
  const types = member(answer, 'field_types')
  const instances = member(answer, 'instances')
  if (!users || !locations || !isObject(types) || !Array.isArray(instances)) return undefined
  return {
    user_fields: users,
    location_fields: locations,
    icon: stringMember(answer, 'icon') ?? '',
    field_types: types,
    instances: (instances as readonly Json[]).flatMap((instance) => instanceOf(instance, serviceId)),
  }
}

/** Returns an instance with the ID by which clients name its directory; none if it is malformed. */
function instanceOf(instance: Json, serviceId: string): JsonObject[] {
  if (!isObject(instance)) return []
  const networkId = stringMember(instance, 'network_id')
  return networkId === undefined ? [] : [{ ...instance, instance_id: printInstance({ serviceId, networkId }) }]
}

function textsIn(value: Json | undefined): readonly string[] | undefined {
  return Array.isArray(value) && value.every((text) => typeof text === 'string') ? value : undefined
}
