// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** The oldest Rust that builds the SDK. */
const OLDEST_MINOR = 96
const manifest = join(import.meta.dirname, 'Cargo.toml')
const target = join(import.meta.dirname, '../../node_modules/.cache/rust-sdk')

/** The program, or why it cannot be built on this machine. */
export type Built = { readonly program: string } | { readonly skipped: string }

/**
 * Builds the client into `node_modules/.cache/rust-sdk`. The first time takes about ten minutes on two cores.
 *
 * @throws Error if it does not compile
 */
export function buildPhone(): Built {
  const toolchain = ['', '+nightly'].find((each) => minorOf(each) >= OLDEST_MINOR)
  if (toolchain === undefined) return { skipped: `no Rust 1.${OLDEST_MINOR} or later is installed` }
  const cargo = (...args: readonly string[]) => {
    const given = [...(toolchain === '' ? [] : [toolchain]), ...args, '--locked', '--manifest-path', manifest]
    return spawnSync('cargo', given, { stdio: 'inherit', env: { ...process.env, CARGO_TARGET_DIR: target } }).status
  }
  console.log(`Building the client with Rust in ${target}; the first time takes about ten minutes.`)
  if (cargo('fetch') !== 0) return { skipped: 'the crates cannot be downloaded' }
  if (cargo('build', '-j', '2') !== 0) throw new Error('the client does not compile')
  return { program: join(target, 'debug', 'myelin-with-rust-sdk') }
}

function minorOf(toolchain: string): number {
  const { stdout } = spawnSync('cargo', [...(toolchain === '' ? [] : [toolchain]), '--version'], { encoding: 'utf8' })
  return Number(/^cargo 1\.(\d+)/.exec(stdout ?? '')?.[1] ?? 0)
}
