// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { IncomingReply, PageOptions, Transport } from '@myelin/remote/transport'

/** A notification that a gateway got. */
interface GotNotification {
  readonly url: string
  readonly notification: JsonObject
}

/** The answer of a gateway; `down` refuses connections, `hang` never answers. */
type GatewayAnswer =
  | 'down'
  | 'hang'
  | { readonly status: number; readonly body?: JsonObject; readonly headers?: Readonly<Record<string, string>> }

/** Push gateways in this process, reached through a transport of their own. */
export interface StandInGateway {
  readonly transport: Transport
  /** The notifications that gateways received, in order. */
  readonly got: GotNotification[]
  /** Every request, also those that were refused. */
  readonly tried: GotNotification[]
  /** From here on gateways answer so; by default they take everything. */
  answer(next: (got: GotNotification) => GatewayAnswer): void
}

/** Starts push gateways that answer under every URL. */
export function standInGateway(): StandInGateway {
  const [got, tried]: [GotNotification[], GotNotification[]] = [[], []]
  let answering: (got: GotNotification) => GatewayAnswer = () => ({ status: 200, body: { rejected: [] } })
  const fetchPage = async (url: URL, { body = '{}', signal }: PageOptions): Promise<IncomingReply> => {
    const { notification } = JSON.parse(body) as { notification: JsonObject }
    const arrived = { url: url.href, notification }
    tried.push(arrived)
    const answer = answering(arrived)
    if (answer === 'hang') await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
    if (answer === 'down' || answer === 'hang') throw new RemoteError('unreachable', `${url.host} does not answer`)
    if (answer.status === 200) got.push(arrived)
    const text = JSON.stringify(answer.body ?? {})
    return { status: answer.status, headers: answer.headers ?? {}, body: Readable.from([Buffer.from(text)]) }
  }
  return {
    transport: {
      send: ({ destination }) => Promise.reject(new RemoteError('unreachable', `no way leads to ${destination}`)),
      fetchPage,
      close: async () => {},
    },
    got,
    tried,
    answer: (next) => {
      answering = next
    },
  }
}
