// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isObject, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import { askAboutThirdParties } from '../peers/third-parties.ts'
import { appServices } from '../runtime/app-services.ts'
import type { Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'remote' | 'log' | 'config'>

const NAME_KEY = { location: 'alias', user: 'userid' } as const

/** A portal room or a user of a third-party network, in the wire format: `alias` or `userid` is its name in Matrix. */
export interface ThirdPartyMatch {
  readonly protocol: string
  readonly fields: object
}

/** The kind of a lookup. */
export type ThirdPartyKind = keyof typeof NAME_KEY

/**
 * Returns the portal rooms or users of a third-party protocol that have these fields, as the application services with the
 * protocol know them.
 *
 * @throws MatrixError `M_NOT_FOUND` where there are none
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartylocationprotocol
 */
export async function thirdPartiesWithFields(
  rt: Needs,
  kind: ThirdPartyKind,
  { protocol, fields }: { readonly protocol: string; readonly fields: URLSearchParams },
): Promise<ThirdPartyMatch[]> {
  const asked = appServices(rt.config).withProtocol(protocol)
  const answers = await askAboutThirdParties(rt, asked, { path: `${kind}/${encodeURIComponent(protocol)}`, fields })
  return someOf(answers.flatMap(({ answer }) => matchesIn(kind, answer)))
}

/**
 * Returns the third-party locations of an alias, or the third-party users of a user ID, of all application services that bridge
 * a protocol.
 *
 * @throws MatrixError `M_NOT_FOUND` where there are none
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartylocation
 */
export async function thirdPartiesNamed(rt: Needs, kind: ThirdPartyKind, name: string): Promise<ThirdPartyMatch[]> {
  const asked = appServices(rt.config).all.filter(({ settings }) => settings.protocols.length > 0)
  const fields = new URLSearchParams({ [NAME_KEY[kind]]: name })
  const answers = await askAboutThirdParties(rt, asked, { path: kind, fields })
  return someOf(answers.flatMap(({ answer }) => matchesIn(kind, answer)))
}

function someOf(matches: ThirdPartyMatch[]): ThirdPartyMatch[] {
  if (matches.length === 0) throw new MatrixError('M_NOT_FOUND', 'no application service knows it')
  return matches
}

function matchesIn(kind: ThirdPartyKind, answer: Json): ThirdPartyMatch[] {
  if (!Array.isArray(answer)) return []
  const key = NAME_KEY[kind]
  return (answer as readonly Json[]).flatMap((entry) => {
    if (!isObject(entry)) return []
    const [name, protocol] = [stringMember(entry, key), stringMember(entry, 'protocol')]
    const fields = objectMember(entry, 'fields')
    return name === undefined || protocol === undefined || !fields ? [] : [{ [key]: name, protocol, fields }]
  })
}
