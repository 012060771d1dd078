// SPDX-License-Identifier: Apache-2.0
import type { LogFormat, LogLevel } from '@myelin/kit/log'
import { Type } from 'typebox'
import { oneOf, section } from '../section.ts'

/** What is logged, and how. */
export interface LogSettings {
  readonly level: LogLevel
  readonly format: LogFormat
}

/** What the server tells about itself. */
export const observation = section({
  title: 'Log and metrics',
  fields: {
    log_level: oneOf(['debug', 'info', 'warn', 'error'], {
      description: `What is logged, on standard output: lines of this level and of those after it. Synapse's \`log_config\`
has no counterpart.`,
      default: 'info',
    }),
    log_format: oneOf(['text', 'json'], {
      description: `\`text\` for people, \`json\` for machines: one object a line.`,
      default: 'text',
    }),
    enable_metrics: Type.Boolean({
      description: `Whether figures for Prometheus are gathered; a listener with the resource \`metrics\` serves them.`,
      default: false,
    }),
  },
  read(values) {
    return {
      log: { level: values.log_level, format: values.log_format } satisfies LogSettings,
      metrics: { isEnabled: values.enable_metrics },
    }
  },
})
