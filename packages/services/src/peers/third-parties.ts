// SPDX-License-Identifier: Apache-2.0
import type { Json } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { AppService } from '../runtime/app-services.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { callAppService } from './app-service.ts'

const TIMEOUT_MS = 10_000
const MAX_BYTES = 1024 * 1024

/** A question about third-party networks: its path below `/thirdparty`, percent-encoded, with its query. */
export interface ThirdPartyQuestion {
  readonly path: string
  readonly fields?: URLSearchParams
}

/**
 * Asks application services about third-party networks, all at once and each for at most 10 s. Returns the parsed answers in
 * the order of the services; services without a URL, with an error or with an answer that is not JSON have none.
 *
 * @see https://spec.matrix.org/v1.19/application-service-api/#third-party-networks
 */
export async function askAboutThirdParties(
  rt: Pick<Runtime, 'remote' | 'log'>,
  services: readonly AppService[],
  question: ThirdPartyQuestion,
): Promise<{ readonly service: AppService; readonly answer: Json }[]> {
  const answers = await Promise.all(
    services.map(async (service) => ({ service, answer: await answerOf(rt, service, question) })),
  )
  return answers.flatMap(({ service, answer }) => (answer === undefined ? [] : [{ service, answer }]))
}

async function answerOf(
  rt: Pick<Runtime, 'remote' | 'log'>,
  service: AppService,
  { path, fields }: ThirdPartyQuestion,
): Promise<Json | undefined> {
  if (service.settings.url === undefined) return undefined
  const query = fields && fields.size > 0 ? `?${fields.toString()}` : ''
  const request = { path: `/thirdparty/${path}${query}`, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }
  try {
    const { status, text } = await callAppService(rt, service, { method: 'GET', ...request })
    return status === 200 ? (JSON.parse(text) as Json) : undefined
  } catch (cause) {
    if (!(cause instanceof RemoteError || cause instanceof SyntaxError)) throw cause
    const { id } = service.settings
    rt.log.warn({ appService: id, cause: cause.message }, 'an application service gave no answer about a third party')
    return undefined
  }
}
