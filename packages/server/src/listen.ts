// SPDX-License-Identifier: Apache-2.0
import { createSecureContext } from 'node:tls'
import { readFileSync } from 'node:fs'
import { ConfigError } from './config/fault.ts'
import type { Listener, TlsFiles } from './config/sections/listeners.ts'

/** A certificate chain and its key, in PEM. */
export interface TlsTexts {
  readonly cert: string
  readonly key: string
}

/** Reads a certificate and its key. Throws a `ConfigError` where they cannot be read or do not belong together. */
export function readTls({ certificatePath, privateKeyPath }: TlsFiles): TlsTexts {
  const read = (key: string, path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch (cause) {
      throw configError(key, `names ${path}, which cannot be read (${codeOf(cause)})`)
    }
  }
  const texts = {
    cert: read('tls_certificate_path', certificatePath),
    key: read('tls_private_key_path', privateKeyPath),
  }
  try {
    createSecureContext(texts)
  } catch (cause) {
    const message = `names ${privateKeyPath}, which cannot be used with ${certificatePath}: ${(cause as Error).message}`
    throw configError('tls_private_key_path', message)
  }
  return texts
}

/** Returns why a listener could not be opened, as a `ConfigError`; any other error as it is. */
export function listenFailure(cause: unknown, { port }: Listener, address: string): unknown {
  const { syscall, code } = cause as NodeJS.ErrnoException
  if (syscall !== 'listen') return cause
  const advice = new Map([
    ['EADDRINUSE', 'is in use by another program; stop it, or choose another port'],
    ['EACCES', 'may not be used by this user; choose a port from 1024 up, or grant the capability'],
    ['EADDRNOTAVAIL', 'is not an address of this machine; correct bind_addresses'],
  ]).get(code ?? '')
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return configError('listeners', `cannot listen at ${place}: it ${advice ?? `is refused (${code ?? 'unknown'})`}`)
}

function configError(key: string, message: string): ConfigError {
  return new ConfigError([{ file: 'configuration', key, message }])
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? 'not text'
}
