// SPDX-License-Identifier: Apache-2.0
import type { ServerProcess } from './server-process.ts'

/** The homeserver that a program measures or kills: any on this machine, or one that the program started. */
export interface Target {
  readonly url: string
  /** The shared secret of `/_synapse/admin/v1/register`. */
  readonly secret: string
  /** A part of user names and transaction IDs that differs between runs. */
  readonly run: string
  /** The process, where the program started it: memory, processor time and disk are only measured then. */
  readonly own: ServerProcess | undefined
}
