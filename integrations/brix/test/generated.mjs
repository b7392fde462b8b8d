// Makes a client from docs/openapi.json: generates its types, checks client.cts
// against them, and runs that.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import openapiTS, { astToString } from 'openapi-typescript'
import ts from 'typescript'

const folder = fileURLToPath(new URL('.', import.meta.url))
const types = astToString(await openapiTS(new URL('../../../docs/openapi.json', import.meta.url)))
const source = await readFile(folder + 'client.cts', 'utf8')

const options = {
  target: ts.ScriptTarget.ES2022, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'], types: [], strict: true, noUncheckedIndexedAccess: true,
  module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, esModuleInterop: true,
}

// compiled is client.cts, with change made to it, as JavaScript, and what is
// wrong with its types.
export function compiled(change = (text) => text) {
  const files = { [folder + 'client.cts']: change(source), [folder + 'openapi.d.cts']: types }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (name) => name in files || fileExists(name)
  host.readFile = (name) => files[name] ?? readFile(name)
  const program = ts.createProgram([folder + 'client.cts'], options, host)
  const wrong = ts.getPreEmitDiagnostics(program).map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'))
  let script = ''
  program.emit(undefined, (_, text) => { script = text })
  return { wrong, script }
}

export function run(script) {
  const exports = {}
  new Function('require', 'exports', script)(createRequire(import.meta.url), exports)
  return exports
}
