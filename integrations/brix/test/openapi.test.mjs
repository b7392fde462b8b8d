import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'

test('docs/openapi.json is valid OpenAPI 3.1', async () => {
  const text = await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')
  const validator = new Validator()
  const { valid, errors } = await validator.validate(JSON.parse(text))
  assert.ok(valid, JSON.stringify(errors, null, 1))
  assert.equal(validator.version, '3.1')
  const broken = JSON.parse(text)
  broken.paths['/v1/health'].get.responses = 'none'
  assert.equal((await new Validator().validate(broken)).valid, false, 'the validator sees an error')
})
