// SPDX-License-Identifier: Apache-2.0
import manifest from '../../../package.json' with { type: 'json' }

/** The name and version that other servers get. */
export const softwareVersion = Object.freeze({ name: 'Myelin', version: manifest.version })
