// SPDX-License-Identifier: Apache-2.0
import type { LogFormat, LogLevel } from '@myelin/kit/log'
import { Type } from 'typebox'
import { oneOf, section } from '../values/section.ts'

/** The level and the format of the log. */
export interface LogSettings {
  readonly level: LogLevel
  readonly format: LogFormat
}

/** Settings of the log and of metrics. */
export const observation = section({
  title: 'Log and metrics',
  fields: {
    log_level: oneOf(['debug', 'info', 'warn', 'error'], {
      description: `The minimum level of log lines, which are written to standard output. Synapse's \`log_config\` has no
counterpart.`,
      default: 'info',
    }),
    log_format: oneOf(['text', 'json'], {
      description: `The format of log lines: \`text\` is for reading, \`json\` is one object a line.`,
      default: 'text',
    }),
    enable_metrics: Type.Boolean({
      description: `Whether metrics for Prometheus are collected. A listener with the resource \`metrics\` serves them.`,
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
