// SPDX-License-Identifier: Apache-2.0
import type { Server as TlsServer } from 'node:tls'
import { buildApp } from '@myelin/http/app/app'
import { endpointsOf } from '@myelin/http/app/endpoints'
import { Bus } from '@myelin/kit/bus'
import { systemClock } from '@myelin/kit/clock'
import type { Log } from '@myelin/kit/log'
import { prepareAppServices } from '@myelin/services/accounts/app-service-users'
import { appServices } from '@myelin/services/runtime/app-services'
import { EventLoopLoad } from '@myelin/kit/loop-load'
import { PrometheusMetrics } from '@myelin/kit/prometheus-metrics'
import { systemRandom } from '@myelin/kit/random'
import { matchGlob } from '@myelin/matrix/glob'
import type { ServerName } from '@myelin/matrix/ids'
import type { SigningKey } from '@myelin/matrix/signatures'
import { FailureLog } from '@myelin/remote/failure-log'
import { Federation } from '@myelin/remote/federation'
import { HttpsTransport } from '@myelin/remote/https/https-transport'
import { AddressCheck } from '@myelin/remote/sockets/address-check'
import type { FastifyInstance } from 'fastify'
import { Typing } from '@myelin/services/runtime/typing'
import { mayFederateWith } from '@myelin/services/peers/trust/may-federate-with'
import { softwareVersion } from '@myelin/services/peers/trust/software-version'
import { Limits } from '@myelin/services/runtime/limits'
import { BlobStore } from '@myelin/services/runtime/blob-store'
import { PreviewTurns } from '@myelin/services/runtime/preview-turns'
import { PresenceTracker } from '@myelin/services/runtime/presence-tracker'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { startWorkers } from '@myelin/services/workers'
import { SyncThrottle } from '@myelin/services/runtime/sync-throttle'
import type { Config } from './config/schema.ts'
import type { TlsFiles } from './config/sections/listeners.ts'
import { createStandardLog } from './line-output.ts'
import { listenFailure, readTls } from './listen.ts'
import { openOwnDatabase } from './open-database.ts'
import { checkMediaStore, prepareMediaStore } from './private-files.ts'
import type { Reloadable } from './reload.ts'
import { readPolicyKey, readSigningKeys } from './config/values/signing-key.ts'

/** A server that listens. */
export interface RunningServer {
  readonly rt: Runtime
  /** The URLs of its listeners, in the order of the configuration. */
  readonly urls: readonly string[]
  /** The parts that take new settings while it runs. */
  readonly reloadable: Reloadable
  /** Answers the requests in progress, then closes everything. */
  close(): Promise<void>
}

/** Builds the server in a straight line: a part never needs one that is built later. */
export async function compose(config: Config): Promise<RunningServer> {
  const log = createStandardLog(config.log)
  for (const notice of config.notices) log.warn({}, notice)
  const { signingKey, otherKeys } = keysOf(config)
  checkFiles(config)
  const metrics = new PrometheusMetrics()
  const bus = new Bus()
  const position = { last: 0 }
  const db = await openOwnDatabase(config, {
    committed: (hint) => {
      position.last = hint.position
      bus.announce(hint)
    },
    warned: (notice) => log.warn({}, notice),
    measured: ({ units, durationMs }) => metrics.committed(units, durationMs),
    // The content of the disk is unknown after a failed commit: stop serving, and read it again at the next start.
    failed: (cause) => {
      log.error({ err: cause }, 'the disk refused a sync; stopping')
      process.exit(1)
    },
  })
  position.last = await db.position()
  metrics.watchLogPosition(() => position.last)
  const typing = new Typing(systemClock, bus, db.others)
  // The configuration checked the name.
  const serverName = config.serverName as ServerName
  const remote = federationOf(config, serverName, signingKey, log)
  const presence = new PresenceTracker({ db, clock: systemClock, config, log, serverName })
  const rt: Runtime = {
    serverName,
    signingKey,
    otherKeys,
    db,
    bus,
    typing,
    presence,
    blobs: await blobStoreOf(config),
    previews: new PreviewTurns(),
    syncThrottle: new SyncThrottle(systemClock, new EventLoopLoad()),
    remote,
    config,
    log,
    metrics,
    clock: systemClock,
    random: systemRandom,
    limits: new Limits(systemClock, config.rateLimits, (key) => appServices(config).isUnlimited(key)),
  }
  watchMemory(rt, bus)
  const workers = await prepareAppServices(rt).then(() => startWorkers(rt))
  const { apps, urls, tlsServers } = await listen(config, rt)
  log.info({ urls, serverName: rt.serverName }, 'listening')
  return {
    rt,
    urls,
    reloadable: { log, limits: rt.limits, tlsServers },
    close: async () => {
      await Promise.all(apps.map((app) => app.close()))
      await workers.close()
      await closeResources(rt)
    },
  }
}

/** Exports the sizes of caches and the number of waiters as metrics. */
function watchMemory({ metrics, db, syncThrottle }: Runtime, bus: Bus): void {
  metrics.watchCaches(() => db.cacheFigures())
  metrics.watchWaiting(() => ({ clients: syncThrottle.waiting, topics: bus.topics }))
}

/** Closes the resources of the runtime once nothing uses them. */
async function closeResources({ typing, presence, remote, db }: Runtime): Promise<void> {
  typing.close()
  await presence.close()
  await remote.close()
  await db.close()
}

function keysOf({ server, policyKeyPath }: Config): Pick<Runtime, 'signingKey' | 'otherKeys'> {
  const [signingKey, ...published] = readSigningKeys(server.signingKeyPath)
  const notary = server.notaryKeysPath === undefined ? [] : readSigningKeys(server.notaryKeysPath)
  const policy = policyKeyPath === undefined ? undefined : readPolicyKey(policyKeyPath)
  return { signingKey, otherKeys: { published, notary, policy } }
}

/** Checks the other files that the configuration names, so that a fault is reported before the database is migrated. */
function checkFiles({ listeners, media }: Config): void {
  for (const { tls } of listeners) if (tls) readTls(tls)
  checkMediaStore(media.storePath)
}

async function blobStoreOf({ media }: Config): Promise<BlobStore> {
  prepareMediaStore(media.storePath)
  const blobs = new BlobStore(media.storePath, systemRandom)
  await blobs.removeStale(systemClock.now())
  return blobs
}

function federationOf(config: Config, serverName: ServerName, signingKey: SigningKey, log: Log): Federation {
  return new Federation(serverName, signingKey, transportOf(config), {
    mayCall: (server) => mayFederateWith({ config }, server),
    timeoutMs: config.federation.requestTimeoutMs,
    failures: new FailureLog(log, systemClock),
  })
}

function transportOf({ connections, urlPreviews }: Config): HttpsTransport {
  const { tls, addresses, proxy } = connections
  return new HttpsTransport({
    clock: systemClock,
    random: systemRandom,
    userAgent: `${softwareVersion.name}/${softwareVersion.version}`,
    proxy,
    addresses: new AddressCheck(addresses.blocked, addresses.allowed),
    tls: {
      authorities: tls.authorities,
      minVersion: tls.minVersion,
      verifies: (name) => tls.isVerified && !tls.unverified.some((pattern) => matchGlob(pattern, name)),
    },
    // The settings of certificates are for other servers; web pages are verified as browsers do.
    previews: {
      addresses: new AddressCheck(urlPreviews.addresses.blocked, urlPreviews.addresses.allowed),
      tls: { authorities: undefined, minVersion: 'TLSv1.2', verifies: () => true },
    },
  })
}

interface Listening extends Pick<Reloadable, 'tlsServers'> {
  readonly apps: FastifyInstance[]
  readonly urls: string[]
}

/** Starts one web server for each address of each listener. */
async function listen(config: Config, rt: Runtime): Promise<Listening> {
  const apps: FastifyInstance[] = []
  const tlsServers: { server: TlsServer; files: TlsFiles }[] = []
  const urls: string[] = []
  for (const listener of config.listeners) {
    const tls = listener.tls && readTls(listener.tls)
    for (const host of listener.addresses) {
      const app = buildApp(rt, endpointsOf(listener.serves), {
        isForwarded: listener.trustsForwarded,
        maxBodyBytes: config.server.maxRequestBodyBytes,
        ...(tls ? { tls } : {}),
      })
      // If both addresses are configured, `::` must not bind IPv4 as well.
      const ipv6Only = host === '::' && listener.addresses.includes('0.0.0.0')
      const url = await app.listen({ port: listener.port, host, ipv6Only }).catch((cause: unknown) => {
        throw listenFailure(cause, listener, host)
      })
      urls.push(url)
      apps.push(app)
      // With TLS, Fastify listens on a server of `node:https`.
      if (listener.tls) tlsServers.push({ server: app.server as unknown as TlsServer, files: listener.tls })
    }
  }
  return { apps, urls, tlsServers }
}
