// SPDX-License-Identifier: Apache-2.0
import type { LoggedRequest } from './request-log.ts'

/** Responses with an error that are right, and why the SDK asks nevertheless. */
const explained: readonly { readonly request: RegExp; readonly answer: string; readonly because: string }[] = [
  {
    request: /^GET \/_matrix\/client\/v1\/auth_metadata$/,
    answer: '404 M_UNRECOGNIZED',
    because: 'The SDK tries OAuth before the password. The server has none, and the spec wants this error then.',
  },
  {
    request: /^GET .*\/user\/\*\/account_data\//,
    answer: '404 M_NOT_FOUND',
    because: 'The SDK asks for secret storage, backup settings and direct chats before there are any.',
  },
  {
    request: /^GET .*\/room_keys\/version$/,
    answer: '404 M_NOT_FOUND',
    because: 'The SDK asks for a key backup before there is one.',
  },
  {
    request: /^GET .*\/room_keys\/keys\/\*\/\*$/,
    answer: '404 M_NOT_FOUND',
    because: 'The SDK asks the backup for the key of a message before another device has uploaded it.',
  },
  {
    request: /^GET .*\/rooms\/\*\/state\/m\.room\.pinned_events\/$/,
    answer: '404 M_NOT_FOUND',
    because: 'The SDK asks for the pinned events before it pins the first.',
  },
  {
    request: /^GET .*\/io\.element\.msc4306\/rooms\/\*\/thread\/\*\/subscription$/,
    answer: '404 M_NOT_FOUND',
    because: 'The SDK asks whether the user is subscribed to a thread; MSC4306 wants this error if not.',
  },
  {
    request: /^POST .*\/org\.matrix\.simplified_msc3575\/sync$/,
    answer: '400 M_UNKNOWN_POS',
    because: 'The connections were deleted, by a scenario or with the device that has logged out.',
  },
  {
    request: /./,
    answer: '503 M_UNKNOWN',
    because: 'A request that came while the server stopped; the SDK repeats it.',
  },
  {
    request: /^POST .*\/keys\/device_signing\/upload$/,
    answer: '401 ',
    because: 'A new identity wants the password: user-interactive authentication.',
  },
]

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

/** Returns how often each endpoint was called, in alphabetical order. */
export function endpointsIn(
  requests: readonly LoggedRequest[],
): readonly (readonly [endpoint: string, count: number])[] {
  const groups = Map.groupBy(requests, requestOf)
  return [...groups]
    .map(([endpoint, group]) => [endpoint, group.length] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Returns method and path with identifiers replaced. */
function requestOf({ method, path }: LoggedRequest): string {
  const isVariable = (part: string) => /^(%21|!|%40|@|%23|#|%24|\$|m\d+\.\d+$|[\w%-]{24,}$)/i.test(part)
  const parts = path.split('/').map((part) => (isVariable(part) ? '*' : part))
  return `${method} ${parts.join('/')}`
}

function answerOf({ status, answer }: LoggedRequest): string {
  const { errcode } = answer
  return `${status} ${typeof errcode === 'string' ? errcode : ''}`
}
