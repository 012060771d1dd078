// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isEventId, isUserId } from '@myelin/matrix/ids'
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { isObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { numberOf } from '@myelin/matrix/raw-number'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { referencesOf } from '@myelin/rules/events/references'
import { ROOM_VERSIONS } from '@myelin/rules/room-versions'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { askServer } from '../../peers/ask-server.ts'
import type { Asker } from '../../peers/ask-server.ts'
import type { EventMaker } from '../drafts/event-draft.ts'

/** A requested membership: the user, the room and the new membership. */
export interface MembershipRequest {
  readonly roomId: RoomId
  readonly userId: UserId
  readonly membership: 'join' | 'leave' | 'knock'
}

/**
 * The parts of a template that are used: the place in the graph, and the authorizing user. All other members are known
 * locally.
 */
export interface Template {
  readonly version: RoomVersion
  readonly prevEvents: readonly EventId[]
  readonly authEvents: readonly EventId[]
  readonly hashes: ReadonlyMap<EventId, string | undefined> | undefined
  readonly depth: number
  readonly authorisingUser: UserId | undefined
}

const TIMEOUT_MS = 30_000
const MAX_PREVIOUS = 20
const MAX_AUTH = 10

/**
 * Returns the template for the event by which a local user joins, leaves or knocks. Throws a `malformed` `RemoteError`
 * where the answer is for another event.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_joinroomiduserid
 */
export async function askTemplate(rt: Asker, server: ServerName, request: MembershipRequest): Promise<Template> {
  const versions = request.membership === 'leave' ? {} : { ver: knownVersions(request) }
  const path = ['federation', 'v1', `make_${request.membership}`, request.roomId, request.userId]
  const answer = await askServer(rt, server, {
    method: 'GET',
    target: federationPath(path, versions),
    timeoutMs: TIMEOUT_MS,
    keepNumbers: true,
  })
  return templateIn(answer, request)
}

/** Returns the room versions to offer; knocking needs version 7 or later. */
function knownVersions({ membership }: MembershipRequest): string[] {
  return [...ROOM_VERSIONS.values()]
    .filter(({ auth }) => membership !== 'knock' || auth.joinRules.includes('knock'))
    .map(({ id }) => id)
}

/** Reads a template field by field: the server signs no event whose content another server chose (CVE-2026-24471). */
function templateIn(answer: JsonObject, request: MembershipRequest): Template {
  const version = ROOM_VERSIONS.get(stringMember(answer, 'room_version') ?? '1')
  if (!version) throw malformed('the room version is not supported')
  const event = objectMember(answer, 'event')
  const content = event && objectMember(event, 'content')
  const isAsked =
    event &&
    content &&
    member(event, 'room_id') === request.roomId &&
    member(event, 'type') === 'm.room.member' &&
    member(event, 'sender') === request.userId &&
    member(event, 'state_key') === request.userId &&
    member(content, 'membership') === request.membership
  if (!isAsked) throw malformed(`the template is not the ${request.membership} that was asked for`)
  const authorisingUser =
    request.membership === 'join' ? member(content, 'join_authorised_via_users_server') : undefined
  if (authorisingUser !== undefined && !isUserId(authorisingUser))
    throw malformed('`join_authorised_via_users_server` must be a user ID')
  return { version, ...placeIn(event, version), authorisingUser: authorisingUser as UserId | undefined }
}

function placeIn(
  event: JsonObject,
  version: RoomVersion,
): Pick<Template, 'prevEvents' | 'authEvents' | 'hashes' | 'depth'> {
  const arePairs = version.eventIds === 'chosen by server'
  const depth = numberOf(member(event, 'depth'))
  if (depth === undefined || !Number.isSafeInteger(depth) || depth < 0)
    throw malformed('`depth` must be an integer of at least 0')
  try {
    const prevEvents = referencesOf(event, 'prev_events', arePairs, MAX_PREVIOUS)
    const authEvents = referencesOf(event, 'auth_events', arePairs, MAX_AUTH)
    if (prevEvents.length === 0 || ![...prevEvents, ...authEvents].every(isEventId)) {
      throw malformed('the template names no events')
    }
    const hashes = arePairs
      ? new Map([...hashesIn(event, 'prev_events'), ...hashesIn(event, 'auth_events')])
      : undefined
    return { prevEvents, authEvents, hashes, depth }
  } catch (cause) {
    if (!(cause instanceof MatrixError)) throw cause
    throw malformed(cause.message)
  }
}

/** Returns event IDs with their reference hashes, as far as the template has them; room versions 1 and 2 need these. */
function hashesIn(event: JsonObject, key: string): [EventId, string | undefined][] {
  return (member(event, key) as readonly (readonly Json[])[]).map(([id, hashes]) => {
    return [id as EventId, isObject(hashes) ? stringMember(hashes, 'sha256') : undefined]
  })
}

/** Returns a local event in the place that a template gives, with its own content. */
export function eventFrom(rt: EventMaker, template: Template, request: MembershipRequest, content: JsonObject): Pdu {
  const { version, prevEvents, authEvents, hashes, depth, authorisingUser } = template
  return buildPdu(
    {
      roomId: request.roomId,
      sender: request.userId,
      type: 'm.room.member',
      stateKey: request.userId,
      content:
        authorisingUser === undefined ? content : { ...content, join_authorised_via_users_server: authorisingUser },
      prevEvents,
      authEvents,
      ...(hashes ? { hashes } : {}),
      depth,
      originServerTs: rt.clock.now(),
      origin: rt.serverName,
    },
    version,
    { serverName: rt.serverName, key: rt.signingKey },
    () => `$${rt.random.token(18)}:${rt.serverName}`,
  )
}

function malformed(message: string): RemoteError {
  return new RemoteError('malformed', message)
}
