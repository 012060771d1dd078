// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import {
  deleteUiaSession,
  deleteUiaSessionsBefore,
  putUiaSession,
  uiaSession,
} from '@myelin/storage/accounts/uia-sessions'
import type { UiaSession } from '@myelin/storage/accounts/uia-sessions'
import { deleteTokenUsesBefore } from '@myelin/storage/accounts/registration-tokens'
import type { Runtime } from '../runtime/runtime.ts'
import { AuthenticationNeeded, UIA_LIFETIME_MS } from '../standing/user-interactive-auth.ts'
import { accountByPassword } from './check-password.ts'
import { useRegistrationToken } from './registration-tokens.ts'

/** An authentication stage. */
type Stage = 'm.login.password' | 'm.login.dummy' | 'm.login.registration_token'

/** An operation that needs user-interactive authentication. */
export interface Operation {
  /** The operation and its target: a session is valid for one operation only. */
  readonly name: string
  /** The account of the operation; empty where the operation creates it. */
  readonly userId: UserId | ''
  readonly flows: readonly (readonly Stage[])[]
  /** The `auth` member of the request. */
  readonly auth: JsonObject | undefined
  /** The parameters of the request without secrets, stored so that later requests may omit them. */
  readonly parameters: JsonObject
  /** The client's address, by which wrong registration tokens are counted. Needed where a flow has that stage. */
  readonly address?: string
  /** The finished session is kept, for the operation to record its outcome in. */
  readonly keepsSession?: boolean
}

const SESSION = /^[A-Za-z0-9]{24}$/

type Needs = Pick<Runtime, 'db' | 'random' | 'clock' | 'limits' | 'serverName'>
type Progress = UiaSession & { readonly isStored: boolean }

/**
 * Returns the operation's parameters once every stage of one of its flows is complete.
 *
 * Throws {@link AuthenticationNeeded} with the remaining stages otherwise. A first request with all proofs needs no
 * session.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api
 */
export async function authenticateOperation(rt: Needs, operation: Operation): Promise<JsonObject> {
  const session = await sessionFor(rt, operation)
  const attempt = await attemptStage(rt, operation, session)
  const completed = attempt.stage === undefined ? session.completed : [...session.completed, attempt.stage]
  const progress = { ...session, completed }
  if (operation.flows.some((flow) => flow.length === completed.length && isBegunBy(flow, completed))) {
    if (session.isStored && !operation.keepsSession) await rt.db.write((tx) => deleteUiaSession(tx, session.session))
    return session.parameters
  }
  await rt.db.write(async (tx) => {
    await putUiaSession(tx, progress)
    await deleteUiaSessionsBefore(tx, rt.clock.now() - UIA_LIFETIME_MS)
    await deleteTokenUsesBefore(tx, rt.clock.now() - UIA_LIFETIME_MS)
  })
  throw new AuthenticationNeeded({
    session: session.session,
    flows: operation.flows.map((stages) => ({ stages })),
    params: {},
    ...(completed.length > 0 ? { completed } : {}),
    ...attempt.failure?.toBody(),
  })
}

/** Returns the session that a request continues, with the request's parameters added; or a new session. */
async function sessionFor(rt: Needs, { name, userId, auth, parameters }: Operation): Promise<Progress> {
  const now = rt.clock.now()
  const given = auth && stringMember(auth, 'session')
  if (given === undefined) {
    const session = rt.random.token(24)
    return { session, operation: name, userId, completed: [], parameters, createdTs: now, isStored: false }
  }
  const held = SESSION.test(given) ? await uiaSession(rt.db.read, given, now - UIA_LIFETIME_MS) : undefined
  if (!held) throw unknownSession()
  if (held.operation !== name || held.userId !== userId) {
    throw new MatrixError('M_FORBIDDEN', 'the session belongs to another request')
  }
  return { ...held, parameters: { ...held.parameters, ...parameters }, isStored: true }
}

/** Returns the refusal of a session that does not exist, has expired or is used up. */
export function unknownSession(): MatrixError {
  return new MatrixError('M_UNKNOWN', 'unknown session', { status: 400 })
}

type Attempt = { readonly stage?: Stage; readonly failure?: MatrixError }

async function attemptStage(rt: Needs, operation: Operation, session: Progress): Promise<Attempt> {
  const { auth, flows } = operation
  const { completed } = session
  const type = auth && stringMember(auth, 'type')
  if (auth === undefined || type === undefined || completed.includes(type)) return {}
  const stage = flows.find((flow) => isBegunBy(flow, [...completed, type]))?.[completed.length]
  if (!stage) return { failure: new MatrixError('M_FORBIDDEN', 'the stage is not one of the next stages') }
  try {
    await STAGES[stage](rt, { operation, auth, session })
    return { stage }
  } catch (error) {
    if (error instanceof StageFailure) return { failure: error.reason }
    throw error
  }
}

/** The failure of a stage that the client may try again. */
class StageFailure extends Error {
  readonly reason: MatrixError

  constructor(reason: MatrixError) {
    super(reason.message)
    this.reason = reason
  }
}

/** Returns what `work` returns; its refusals become a {@link StageFailure}, except rate limits. */
async function retryable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof MatrixError && error.code !== 'M_LIMIT_EXCEEDED') throw new StageFailure(error)
    throw error
  }
}

interface StageInput {
  readonly operation: Operation
  readonly auth: JsonObject
  readonly session: Progress
}

/** The check of each stage; it throws where the proof is wrong. */
const STAGES: Readonly<Record<Stage, (rt: Needs, input: StageInput) => Promise<void>>> = {
  'm.login.dummy': async () => undefined,
  'm.login.password': async (rt, { operation, auth }) => {
    const account = await retryable(accountByPassword(rt, auth))
    if (account.userId !== operation.userId) throw new MatrixError('M_FORBIDDEN', 'the password is of another account')
  },
  'm.login.registration_token': async (rt, { operation, auth, session }) => {
    const token = stringMember(auth, 'token')
    if (token === undefined) {
      throw new StageFailure(new MatrixError('M_MISSING_PARAM', '`token` is missing'))
    }
    const user = { session: session.session, createdTs: session.createdTs, address: operation.address ?? '' }
    await retryable(useRegistrationToken(rt, token, user))
  },
}

function isBegunBy(flow: readonly string[], stages: readonly string[]): boolean {
  return stages.every((stage, index) => flow[index] === stage)
}
