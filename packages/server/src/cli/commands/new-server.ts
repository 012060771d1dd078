// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemRandom } from '@myelin/kit/random'
import { sampleConfig, signingKeyPathIn } from '../../config/sample.ts'
import { serverNameFault } from '../../config/values/server-name.ts'
import { writeSigningKey } from '../../config/values/signing-key.ts'
import { CommandError } from '../terminal/command.ts'

/** The name of a new server, and the paths of its files. */
export interface NewServer {
  readonly serverName: string
  readonly configFile: string
  readonly dataDir: string
  readonly publicBaseUrl?: string
}

/**
 * Writes the configuration and the signing key of a new server; throws rather than write over a configuration.
 *
 * A key that is there already is kept: it is the identity of a server that may have been used.
 */
export function writeNewServer({ configFile, ...options }: NewServer): { readonly keyFile: string } {
  const nameFault = serverNameFault(options.serverName)
  if (nameFault !== undefined) throw new CommandError(`the server name ${options.serverName} ${nameFault}`)
  if (existsSync(configFile)) throw new CommandError(`${configFile} is there already, and is not written over`)
  const keyFile = signingKeyPathIn(options.dataDir, options.serverName)
  for (const folder of [options.dataDir, dirname(configFile)]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (!existsSync(keyFile)) writeSigningKey(keyFile, systemRandom)
  const text = sampleConfig({ ...options, sharedSecret: systemRandom.token(64) })
  writeFileSync(configFile, text, { flag: 'wx', mode: 0o600 })
  return { keyFile }
}
