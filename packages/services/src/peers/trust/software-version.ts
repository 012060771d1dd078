// SPDX-License-Identifier: Apache-2.0
import manifest from '../../../package.json' with { type: 'json' }

/** What we call ourselves before other servers. */
export const softwareVersion = Object.freeze({ name: 'Myelin', version: manifest.version })
