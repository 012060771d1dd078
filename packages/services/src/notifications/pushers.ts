// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { deletePusher, deletePushersOfOthers, pushersOf, putPusher } from '@myelin/storage/accounts/pushers'
import type { PusherSettings } from '@myelin/storage/accounts/pushers'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/** A request to set a pusher, or with a `kind` of null to delete it. */
export interface PusherRequest {
  readonly appId: string
  readonly pushkey: string
  readonly kind: string | null
  readonly appDisplayName: string | undefined
  readonly deviceDisplayName: string | undefined
  readonly lang: string | undefined
  readonly profileTag: string | undefined
  readonly data: JsonObject | undefined
  /** Other users keep their pushers with the same app ID and pushkey. */
  readonly isAppended: boolean
  readonly isEnabled: boolean
}

/** A pusher as clients see it. */
export interface ShownPusher {
  readonly app_display_name: string
  readonly app_id: string
  readonly data: JsonObject
  readonly device_display_name: string
  readonly kind: string
  readonly lang: string
  readonly profile_tag: string
  readonly pushkey: string
  readonly 'org.matrix.msc3881.enabled': boolean
  readonly 'org.matrix.msc3881.device_id': string
}

const MAX_APP_ID_LENGTH = 64
const MAX_PUSHKEY_BYTES = 512
/** The longest name, language or profile tag, in bytes. */
const MAX_TEXT_BYTES = 255
const MAX_DATA_BYTES = 8 * 1024
const MAX_PUSHERS = 100
const GATEWAY_PATH = '/_matrix/push/v1/notify'

/** Returns a user's pushers, the oldest first. */
export async function readPushers({ db }: Pick<Runtime, 'db'>, user: UserId): Promise<ShownPusher[]> {
  return (await pushersOf(db.read, user)).map((pusher) => ({
    app_display_name: pusher.appDisplayName,
    app_id: pusher.appId,
    data: JSON.parse(pusher.data) as JsonObject,
    device_display_name: pusher.deviceDisplayName,
    kind: pusher.kind,
    lang: pusher.lang,
    profile_tag: pusher.profileTag,
    pushkey: pusher.pushkey,
    'org.matrix.msc3881.enabled': pusher.isEnabled,
    'org.matrix.msc3881.device_id': pusher.deviceId,
  }))
}

/**
 * Sets a pusher in place of the requester's one with the same app and pushkey, or deletes that.
 *
 * @throws `M_MISSING_PARAM` where a field is missing or the gateway's URL is not one, `M_INVALID_PARAM` where a field is too
 * long, the kind is neither `http` nor `email`, or the user has 100 pushers; `M_THREEPID_NOT_FOUND` for the kind `email`, as no
 * account has an email address
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset
 */
export async function setPusher(
  { db, clock }: Pick<Runtime, 'db' | 'clock'>,
  { userId, deviceId }: Pick<Requester, 'userId' | 'deviceId'>,
  request: PusherRequest,
): Promise<void> {
  const key = { userId, appId: request.appId, pushkey: request.pushkey }
  if (request.kind === null) {
    await db.write((tx) => deletePusher(tx, key))
    return
  }
  const pusher = { ...checked(request), ...key, deviceId, setTs: clock.now() }
  await db.write(async (tx) => {
    if (!request.isAppended) await deletePushersOfOthers(tx, key)
    const others = (await pushersOf(tx, userId)).filter(
      ({ appId, pushkey }) => appId !== request.appId || pushkey !== request.pushkey,
    )
    if (others.length >= MAX_PUSHERS) throw invalid(`a user has at most ${MAX_PUSHERS} pushers`)
    await putPusher(tx, pusher)
  })
}

function checked(request: PusherRequest): Omit<PusherSettings, 'userId' | 'appId' | 'pushkey' | 'deviceId' | 'setTs'> {
  const { kind, appDisplayName, deviceDisplayName, lang, data, profileTag = '', isEnabled } = request
  if (appDisplayName === undefined) throw missing('app_display_name')
  if (deviceDisplayName === undefined) throw missing('device_display_name')
  if (lang === undefined) throw missing('lang')
  if (data === undefined) throw missing('data')
  if (kind === 'email') throw new MatrixError('M_THREEPID_NOT_FOUND', 'Email not found')
  if (kind !== 'http') throw invalid('`kind` must be http, email or null')
  if (request.appId.length > MAX_APP_ID_LENGTH) throw invalid('`app_id` is longer than 64 characters')
  if (!fitsBytes(request.pushkey, MAX_PUSHKEY_BYTES)) throw invalid('`pushkey` is longer than 512 bytes')
  for (const text of [appDisplayName, deviceDisplayName, lang, profileTag]) {
    if (!fitsBytes(text, MAX_TEXT_BYTES))
      throw invalid(`names, languages and tags have at most ${MAX_TEXT_BYTES} bytes`)
  }
  const written = JSON.stringify(data)
  if (!fitsBytes(written, MAX_DATA_BYTES)) throw invalid(`\`data\` is larger than ${MAX_DATA_BYTES} bytes`)
  requireGateway(stringMember(data, 'url'))
  return { kind, appDisplayName, deviceDisplayName, lang, profileTag, data: written, isEnabled }
}

/** Throws where a text is not the URL of a push gateway. Plain HTTP is for gateways in the server's own network. */
function requireGateway(url: string | undefined): void {
  if (url === undefined) throw missing('data.url')
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isWeb = parsed !== undefined && ['https:', 'http:'].includes(parsed.protocol)
  if (!isWeb || parsed.pathname !== GATEWAY_PATH)
    throw new MatrixError('M_MISSING_PARAM', `\`data.url\` must be an HTTPS URL with the path ${GATEWAY_PATH}`)
}

const missing = (name: string) => new MatrixError('M_MISSING_PARAM', `missing parameter: ${name}`)
const invalid = (text: string) => new MatrixError('M_INVALID_PARAM', text)
