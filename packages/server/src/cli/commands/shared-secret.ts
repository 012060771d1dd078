// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { CommandError } from '../terminal/command.ts'

/** An account to be made. */
export interface NewAccount {
  readonly name: string
  readonly password: string
  readonly isAdmin: boolean
}

const PATH = '_synapse/admin/v1/register'
const PATIENCE_MS = 30_000

interface Answer {
  readonly nonce?: string
  readonly user_id?: string
  readonly error?: string
}

/**
 * Registers an account through Synapse's shared-secret endpoint and returns its user ID.
 *
 * The secret itself is not sent: it signs the account details together with a nonce of the server.
 */
export async function registerWithSecret(serverUrl: string, secret: string, account: NewAccount): Promise<string> {
  const url = new URL(PATH, serverUrl)
  const { nonce } = await answerOf(url, { method: 'GET' })
  if (typeof nonce !== 'string') throw new CommandError(`${serverUrl} does not answer like a Myelin server`)
  const body = JSON.stringify({
    nonce,
    username: account.name,
    password: account.password,
    admin: account.isAdmin,
    mac: macOf(nonce, secret, account),
  })
  const headers = { 'content-type': 'application/json' }
  const { user_id: userId } = await answerOf(url, { method: 'POST', headers, body })
  if (typeof userId !== 'string') throw new CommandError(`${serverUrl} does not answer like a Myelin server`)
  return userId
}

/** Returns the MAC that proves knowledge of the secret. */
export function macOf(nonce: string, secret: string, { name, password, isAdmin }: NewAccount): string {
  const parts = [nonce, name, password, isAdmin ? 'admin' : 'notadmin']
  return createHmac('sha1', secret).update(parts.join('\0'), 'utf8').digest('hex')
}

async function answerOf(url: URL, request: RequestInit): Promise<Answer> {
  const response = await reached(url, request)
  const answer = (await response.json().catch(() => ({}))) as Answer
  if (response.ok) return answer
  throw new CommandError(`the server refused: ${answer.error ?? `HTTP ${response.status}`}`)
}

async function reached(url: URL, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...request, signal: AbortSignal.timeout(PATIENCE_MS) })
  } catch (error) {
    const advice = 'is the server running? Start it first, with npm start or myelin start'
    throw new CommandError(`no server answers at ${url.origin}; ${advice}`, { cause: error })
  }
}
