// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Licenses that may be used beside Apache-2.0 without a decision. A package under another one fails the check. */
const ACCEPTED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  // libvips inside sharp: see the text below.
  'LGPL-3.0-or-later',
  'Apache-2.0 AND LGPL-3.0-or-later',
  'Apache-2.0 AND LGPL-3.0-or-later AND MIT',
])

interface Locked {
  readonly version: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly link?: boolean
}

interface Dependency {
  readonly folder: string
  readonly name: string
  readonly locked: Locked
}

/**
 * Returns the text of THIRD-PARTY-NOTICES.md: every production dependency of package-lock.json with its license, and
 * the copyright lines of the license files in node_modules. Packages that are installed on some platforms only are
 * listed without copyright lines, so that the text is the same on each. Throws on a license that is not accepted.
 */
export function thirdPartyNotices(): string {
  const dependencies = productionDependencies()
  const refused = dependencies.filter(({ locked }) => !ACCEPTED.has(locked.license ?? ''))
  if (refused.length > 0) {
    const names = refused.map(({ name, locked }) => `${name} (${locked.license ?? 'no license'})`)
    throw new Error(`not an accepted license: ${names.join(', ')}; see scripts/third-party-notices.ts`)
  }
  return `${HEAD}${tableOf(dependencies.filter(({ locked }) => !locked.optional))}
## Packages for some platforms only

npm installs those that fit the platform.

${tableOf(dependencies.filter(({ locked }) => locked.optional))}`
}

function productionDependencies(): readonly Dependency[] {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> }
  return Object.entries(lock.packages)
    .filter(([folder, { dev, link }]) => folder.includes('node_modules/') && !dev && !link)
    .map(([folder, locked]) => ({ folder, name: folder.replace(/^.*node_modules\//, ''), locked }))
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en') || a.locked.version.localeCompare(b.locked.version, 'en'))
}

function tableOf(dependencies: readonly Dependency[]): string {
  const rows = dependencies.map(({ folder, name, locked }) => {
    const holders = locked.optional ? '' : copyrightsOf(folder).join('; ')
    return `| \`${name}\` | ${locked.version} | ${locked.license} | ${holders.replaceAll('|', '\\|')} |`
  })
  return `| package | version | license | copyright |\n| --- | --- | --- | --- |\n${[...new Set(rows)].join('\n')}\n`
}

function copyrightsOf(folder: string): readonly string[] {
  if (!existsSync(folder)) throw new Error(`${folder} is not installed: run npm ci`)
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name))
  const lines = files.flatMap((name) => readFileSync(`${folder}/${name}`, 'utf8').split('\n'))
  // The Apache license itself speaks of "copyright owner" and has a template, "Copyright [yyyy]".
  const isClaim = (line: string) =>
    /^copyright\b/i.test(line) && !/\[yyyy\]|^copyright (owner|notice|license)/i.test(line)
  return [...new Set(lines.map((line) => line.trim()).filter(isClaim))]
}

const HEAD = `<!-- Written by scripts/write-notices.ts from package-lock.json and node_modules. Do not edit it here. -->
# Third-party notices

Myelin is licensed under Apache-2.0 and contains no third-party source code. It runs with the packages below, which npm
installs from the registry, each with its license text in its folder of \`node_modules\`. Development dependencies are not
listed.

## libvips (LGPL-3.0-or-later)

\`sharp\` makes thumbnails with libvips, which is licensed under the GNU Lesser General Public License, version 3 or later,
and which brings further libraries under the same license (fribidi, glib, libexif, libheif, librsvg, pango). Their
licenses and versions are in \`README.md\` and \`versions.json\` of \`node_modules/@img/sharp-libvips-*\`; the sources and the
build scripts are at <https://github.com/lovell/sharp-libvips>.

libvips is **linked dynamically**, as a shared library in a package of its own, and is not modified. It can be replaced:

- put another build of the same version in place of \`node_modules/@img/sharp-libvips-PLATFORM/lib/libvips-cpp.*\`, or
- install libvips, \`node-gyp\` and \`node-addon-api\`, and build sharp against them with
  \`node node_modules/sharp/install/build.js\` (<https://sharp.pixelplumbing.com/install#building-from-source>).

On Windows the shared library is in the package \`@img/sharp-win32-*\`. The WebAssembly packages (\`@img/sharp-wasm32\`)
contain libvips in one file, and are replaced as a whole; Myelin does not use them where a native package exists.

## Node.js

The package \`node\` installs a build of Node.js, whose license and those of the libraries in it are at
<https://github.com/nodejs/node/blob/main/LICENSE>.

## Packages

`
