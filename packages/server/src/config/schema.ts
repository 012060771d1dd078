// SPDX-License-Identifier: Apache-2.0
import type { ServiceConfig } from '@myelin/kit/settings'
import type { TProperties } from 'typebox'
import type { Section } from './values/section.ts'
import { appServices } from './sections/app-services.ts'
import { autoJoin } from './sections/auto-join.ts'
import { caches } from './sections/caches.ts'
import { type ConnectionSettings, connections } from './sections/connections.ts'
import { type DatabaseSettings, database } from './sections/database.ts'
import { disclosure } from './sections/disclosure.ts'
import { federation } from './sections/federation.ts'
import { type Listener, listeners } from './sections/listeners.ts'
import { media } from './sections/media.ts'
import { type LogSettings, observation } from './sections/observation.ts'
import { policyServer } from './sections/policy-server.ts'
import { push } from './sections/push.ts'
import { rateLimits } from './sections/rate-limits.ts'
import { registration } from './sections/registration.ts'
import { rooms } from './sections/rooms.ts'
import { rtc } from './sections/rtc.ts'
import { search } from './sections/search.ts'
import { server } from './sections/server.ts'
import { serverNotices } from './sections/server-notices.ts'
import { sessions } from './sections/sessions.ts'
import { turn } from './sections/turn.ts'
import { urlPreviews } from './sections/url-previews.ts'

/** All settings, validated and frozen. Pass its parts to the code that needs them. */
export interface Config extends ServiceConfig {
  readonly server: {
    readonly signingKeyPath: string
    /** The file with keys that this server signs others' keys with besides its own; undefined for none. */
    readonly notaryKeysPath: string | undefined
    readonly maxRequestBodyBytes: number
  }
  /** The file with the key with which this server signs as a policy server; undefined where it is none. */
  readonly policyKeyPath: string | undefined
  readonly listeners: readonly Listener[]
  readonly connections: ConnectionSettings
  readonly database: DatabaseSettings
  readonly log: LogSettings
  readonly metrics: { readonly isEnabled: boolean }
  /** Messages for the admin that require no action; logged at the start. */
  readonly notices: readonly string[]
}

/** Every section, in the order in which it is documented. */
export const sections = {
  server,
  listeners,
  federation,
  connections,
  disclosure,
  database,
  registration,
  sessions,
  rooms,
  autoJoin,
  serverNotices,
  media,
  urlPreviews,
  push,
  appServices,
  search,
  turn,
  rtc,
  rateLimits,
  policyServer,
  caches,
  observation,
}

/** The schema of every setting, by its name in the file. */
export const SETTINGS: ReadonlyMap<string, TProperties[string]> = new Map(
  (Object.values(sections) as readonly Section[]).flatMap((one) => Object.entries(one.fields)),
)
