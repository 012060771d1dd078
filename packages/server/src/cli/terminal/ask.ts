// SPDX-License-Identifier: Apache-2.0
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CommandError } from './command.ts'

/** Prints a question and returns the line typed in answer; `undefined` if standard input is not a terminal. */
export async function ask(question: string): Promise<string | undefined> {
  return process.stdin.isTTY ? lineFrom(question, process.stdout) : undefined
}

/** Returns a password: asked for twice without echo on a terminal, else the first line of standard input. */
export async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY) return notEmpty(await firstLine())
  const password = notEmpty(await hidden('Password: '))
  if ((await hidden('Once more: ')) !== password) throw new CommandError('the two passwords differ')
  return password
}

function notEmpty(password: string): string {
  if (password === '') throw new CommandError('the password is empty')
  return password
}

async function hidden(question: string): Promise<string> {
  process.stdout.write(question)
  const line = await lineFrom('', new Writable({ write: (_chunk, _encoding, done) => done() }))
  process.stdout.write('\n')
  return line
}

function lineFrom(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  return new Promise((resolve, reject) => {
    const cancel = (): void => reject(new CommandError('cancelled'))
    lines.once('SIGINT', cancel)
    lines.once('close', cancel)
    lines.question(question, resolve)
  }).finally(() => lines.close()) as Promise<string>
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line
  return ''
}
