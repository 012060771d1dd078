// SPDX-License-Identifier: Apache-2.0
import type { LoggedRequest } from './request-log.ts'

/** Responses with an error that are right, and why the SDK asks nevertheless. */
const explained: readonly { readonly request: RegExp; readonly answer: string; readonly because: string }[] = []

/** One kind of refused request. */
export interface Refusal {
  readonly request: string
  readonly answer: string
  readonly count: number
  /** Why the response is right; undefined where it is a fault. */
  readonly because: string | undefined
  readonly example: LoggedRequest
}

/** Returns the requests that were answered with an error, by endpoint and error. */
export function refusalsIn(requests: readonly LoggedRequest[]): readonly Refusal[] {
  const groups = Map.groupBy(
    requests.filter(({ status }) => status >= 400),
    (each) => `${requestOf(each)} ${answerOf(each)}`,
  )
  return [...groups.values()].flatMap((group) => {
    const example = group[0]
    if (!example) return []
    const [request, answer] = [requestOf(example), answerOf(example)]
    const because = explained.find((each) => each.request.test(request) && each.answer === answer)?.because
    return [{ request, answer, count: group.length, because, example }]
  })
}

/** Returns method and path with identifiers replaced. */
function requestOf({ method, path }: LoggedRequest): string {
  const parts = path.split('/').map((part) => (/^(%21|!|%40|@|%23|#|%24|\$)/i.test(part) ? '*' : part))
  return `${method} ${parts.join('/')}`
}

function answerOf({ status, answer }: LoggedRequest): string {
  return `${status} ${String(answer['errcode'] ?? '')}`
}
