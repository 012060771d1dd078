// SPDX-License-Identifier: Apache-2.0

/** A fault of the configuration: its place, and what to do about it. */
export interface Fault {
  readonly file: string
  /** The place in the file, for example `listeners[0].port`; empty if the fault concerns the whole file. */
  readonly key: string
  readonly message: string
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[], options?: ErrorOptions) {
    super(faults.map(lineOf).join('\n'), options)
    this.faults = faults
  }
}

function lineOf({ file, key, message }: Fault): string {
  return key ? `${file}: ${key} ${message}` : `${file}: ${message}`
}
