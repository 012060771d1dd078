// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs'
import { errorTextFaults } from './house/error-texts.ts'

/** House rules that no linter checks. Each has exempt files, and the reason. */
const rules = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(Timeout|Interval)\(/,
    except: /^packages\/kit\/|\.test\.ts$|^packages\/testing\//,
    reason: 'time and chance come from kit, so that tests own them',
  },
  {
    pattern: /\bprocess\.env\b/,
    except: /^packages\/server\/src\/config\/load\.ts$|\.test\.ts$|^packages\/testing\//,
    reason: 'the environment is read in config/load.ts only',
  },
  {
    pattern: /\b(sqlite|postgres|pg)\b/i,
    except: /^packages\/(storage\/src\/engine\/(sqlite|postgres)\/|testing|server)|\.test\.ts$/,
    reason: 'engines are named in their own files only',
  },
  {
    pattern: /^ {4,}(get|set) \w+\(/,
    except: /\.test\.ts$|^packages\/testing\//,
    reason:
      'an accessor stands in a class: V8 makes a hidden class for each literal that has one, and keeps what it holds',
  },
  {
    pattern: /[vV]ersion(\.id)? ?[=!]==? ?'\d+'/,
    except: /^packages\/rules\/src\/room-versions\.ts$|\.test\.ts$/,
    reason: 'room versions are compared in room-versions.ts only; add a trait',
  },
] as const

const faults: string[] = []
for (const file of globSync('packages/*/src/**/*.ts')) {
  const lines = readFileSync(file, 'utf8').split('\n')
  if (!lines[0]!.startsWith('// SPDX-License-Identifier: Apache-2.0'))
    faults.push(`${file}:1 the first line is the SPDX line`)
  for (const [index, line] of lines.entries()) {
    const code = line.replace(/^\s*(\*|\/\/|\/\*).*$/, '')
    for (const rule of rules) {
      if (rule.pattern.test(code) && !rule.except.test(file)) faults.push(`${file}:${index + 1} ${rule.reason}`)
    }
  }
}
const sources = globSync('packages/*/src/**/*.ts').filter((file) => !/\.test\.ts$|^packages\/testing\//.test(file))
// Texts that programs may compare are listed in these.
const interfaceTexts = ['docs/compatibility.md', 'packages/services/src/rooms/drafts/refusal.ts'].map((file) =>
  readFileSync(file, 'utf8'),
)
faults.push(...errorTextFaults(new Map(sources.map((file) => [file, readFileSync(file, 'utf8')])), interfaceTexts))
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}
