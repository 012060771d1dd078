// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util'
import type { Server as TlsServer } from 'node:tls'
import type { AdjustableLog } from '@myelin/kit/log'
import type { Limits } from '@myelin/services/runtime/limits'
import { ConfigError } from './config/fault.ts'
import type { Config } from './config/schema.ts'
import type { TlsFiles } from './config/sections/listeners.ts'
import { readTls } from './listen.ts'

/** The parts of a running server that take new settings. */
export interface Reloadable {
  readonly log: AdjustableLog
  readonly limits: Pick<Limits, 'configure'>
  /** The listeners with TLS, each with the files it was opened with. */
  readonly tlsServers: readonly { readonly server: TlsServer; readonly files: TlsFiles }[]
}

/**
 * Reloads what can change without a restart: the log level, rate limits, and the content of certificates and their keys. Logs which
 * other settings changed. If the configuration or a certificate is invalid, nothing changes and the log says why.
 *
 * @param load reads the configuration anew
 */
export function reload(running: Config, load: () => Config, { log, limits, tlsServers }: Reloadable): void {
  try {
    const fresh = load()
    const contexts = tlsServers.map(({ server, files }) => ({ server, texts: readTls(files) }))
    for (const { server, texts } of contexts) server.setSecureContext(texts)
    log.setLevel(fresh.log.level)
    limits.configure(fresh.rateLimits)
    const needRestart = changedSections(running, fresh)
    log.info({ certificates: contexts.length, level: fresh.log.level }, 'configuration reloaded')
    if (needRestart.length > 0) log.warn({ settings: needRestart }, 'these changed settings need a restart')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    log.error({ faults: error.message.split('\n') }, 'the configuration was not reloaded, and the earlier one stays')
  }
}

// Settings that are reloaded, and members of the configuration that are not settings.
const APART: ReadonlySet<string> = new Set(['log', 'notices', 'rateLimits'])

function changedSections(running: Config, fresh: Config): string[] {
  const changed = Object.entries(fresh).flatMap(([name, value]) => {
    const isSame = APART.has(name) || isDeepStrictEqual(value, running[name as keyof Config])
    return isSame ? [] : [name]
  })
  return running.log.format === fresh.log.format ? changed : [...changed, 'log_format']
}
