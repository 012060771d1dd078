// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { PASSWORD } from '@myelin/testing/clients/encrypted-client'
import type { OwnServer } from './own-server.ts'
import { Phone } from './phone.ts'

/** A user with a phone. */
export interface Person {
  readonly id: string
  readonly name: string
  readonly phone: Phone
}

/** A server with two users, and the rooms that the scenarios share. */
export class World {
  readonly server: OwnServer
  readonly #program: string
  readonly #folder: string
  readonly #phones: Phone[] = []
  alice!: Person
  bob!: Person
  /** An encrypted room of both users, open on both phones. */
  room = ''

  constructor(server: OwnServer, program: string, folder: string) {
    this.server = server
    this.#program = program
    this.#folder = folder
  }

  /** Registers a user. */
  async register(name: string): Promise<string> {
    const response = await fetch(`${this.server.url}/_matrix/client/v3/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        username: name,
        password: PASSWORD,
        auth: { type: 'm.login.dummy' },
        inhibit_login: true,
      }),
    })
    assert.equal(response.status, 200, `register: ${response.status}`)
    return ((await response.json()) as { user_id: string }).user_id
  }

  /** Takes a new phone for a user and logs it in; `folder` names its store. */
  async logIn(name: string, folder = name, password = PASSWORD): Promise<Phone> {
    const phone = new Phone(this.#program, this.server.url, this.#folder, folder)
    this.#phones.push(phone)
    await phone.logIn(name, password)
    return phone
  }

  /** Sends a message from one user to the other and waits until the other reads it. */
  async tells(from: Person, to: Person, text: string, room = this.room): Promise<void> {
    await from.phone.ask('send', { room, text })
    const event = await to.phone.reads(room, text)
    assert.equal(event.sender, from.id)
  }

  /** Ends the phones. */
  async close(): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.kill()))
  }
}
