// What one side names must exist on the other: Bicep, its parameters, azure.yaml, the workflows, the README, the app's own code.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { read } from './bicep.mjs'

const root = resolve(import.meta.dirname, '../..')
const file = path => readFileSync(join(root, path), 'utf8')
const list = (folder, ending) => readdirSync(join(root, folder), { recursive: true })
  .map(path => `${folder}/${path.replaceAll('\\', '/')}`)
  .filter(path => path.endsWith(ending) && !/\/(bin|obj|node_modules)\//.test(path))
const matches = (text, pattern) => [...text.matchAll(pattern)].map(match => match[1])
const same = (actual, expected) => assert.deepEqual([...new Set(actual)].sort(), [...new Set(expected)].sort())

const files = Object.fromEntries(readdirSync(join(root, 'infra')).filter(name => name.endsWith('.bicep')).map(name => [name, read(join(root, 'infra', name))]))
const main = files['main.bicep']
const parameters = JSON.parse(file('infra/main.parameters.json')).parameters
const variables = Object.values(parameters).flatMap(({ value }) => matches(value, /\$\{(\w+)/g))
const azure = parse(file('azure.yaml'))
const workflows = list('.github/workflows', '.yml')

// Built-in roles: learn.microsoft.com/azure/role-based-access-control/built-in-roles
const roles = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6',
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb',
}

for (const [name, bicep] of Object.entries(files)) {
  test(`${name} parses, and every name in it is declared`, () => {
    same(bicep.errors, [])
    same(bicep.unknownNames, [])
  })

  test(`${name}: every parameter is used`, () => {
    same(bicep.params.map(({ name }) => name).filter(name => !bicep.references.includes(name)), [])
  })

  test(`${name}: every module exists and gets its parameters`, () => {
    for (const { file, params } of bicep.modules) {
      const module = files[file]
      assert.ok(module, `there is no infra/${file}`)
      same(params.filter(param => !module.params.some(({ name }) => name === param)), [])
      same(module.params.filter(({ name, required }) => required && !params.includes(name)), [])
    }
  })

  test(`${name}: every module output that is read exists`, () => {
    for (const { module, output } of bicep.moduleOutputs)
      assert.ok(files[bicep.modules.find(({ name }) => name === module)?.file]?.outputs.includes(output), `${module}.outputs.${output}`)
  })

  test(`${name}: resources are of released API versions`, () => {
    for (const { type, nested } of bicep.resources)
      assert.match(type, nested ? /^\w+$/ : /^Microsoft\.\w+(\/\w+)+@\d{4}-\d{2}-\d{2}$/)
  })

  test(`${name}: role ids are those of the roles they are named after`, () => {
    for (const [, role, id] of bicep.text.matchAll(/(\w+)\s*[:=]\s*'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'/g))
      assert.equal(id, roles[role], role)
  })
}

test('no file of infra/ is left out of main.bicep', () => {
  same(Object.keys(files), ['main.bicep', ...main.modules.map(({ file }) => file)])
})

test('main.parameters.json has main.bicep\'s parameters, each from one variable', () => {
  same(Object.keys(parameters), main.params.map(({ name }) => name))
  for (const { value } of Object.values(parameters))
    assert.match(value, /^\$\{[A-Z_]+\}$/) // no default here: main.bicep has them
})

test('azd asks for the environment, the region and the token, and for nothing else', () => {
  same(main.params.filter(({ required }) => required).map(({ name }) => name), ['environmentName', 'location', 'motherduckToken'])
  assert.ok(main.params.every(({ described }) => described))
})

test('the token is secure wherever it goes', () => {
  assert.ok(main.params.find(({ name }) => name === 'motherduckToken').secure)
  assert.ok(files['vault.bicep'].params.find(({ name }) => name === 'secretValue').secure)
  same(Object.values(files).flatMap(({ outputs }) => outputs).filter(name => /token|secret|key$/i.test(name)), [])
})

test('azure.yaml deploys a project that exists to the app that carries its name', () => {
  for (const [name, { project, host }] of Object.entries(azure.services)) {
    assert.equal(host, 'function')
    assert.equal(list(project.replace('./', ''), '.csproj').length, 1)
    assert.ok(main.text.includes(`'azd-service-name': '${name}'`))
  }
  assert.match(azure.name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/) // azd's own rule
})

test('azure.yaml hands the pipeline every variable but azd\'s own and the token', () => {
  same(azure.pipeline.variables, variables.filter(name => !name.startsWith('AZURE_') && name !== 'MOTHERDUCK_TOKEN'))
})

test('azd variables and outputs named in texts and workflows exist', () => {
  for (const path of ['README.md', 'infra/README.md', ...workflows, ...list('http', '.http')].filter(path => existsSync(join(root, path)))) {
    const text = file(path)
    for (const name of matches(text, /azd env get-value (\w+)/g))
      assert.ok(main.outputs.includes(name), `${path}: main.bicep has no output ${name}`)
    for (const name of matches(text, /azd env set (\w+)/g))
      assert.ok(variables.includes(name), `${path}: main.parameters.json has no variable ${name}`)
  }
})

test('folders and files named in workflows exist', () => {
  for (const path of workflows) {
    const text = file(path)
    for (const name of matches(text, /(?:working-directory|cache-dependency-path|global-json-file|--file|dotnet \w+) ?:? ([\w./-]+)/g))
      assert.ok(existsSync(join(root, name)), `${path}: there is no ${name}`)
  }
})

test('each place where a template option is put in exists', { skip: !existsSync(join(root, '.template.config')) && 'a copy' }, () => {
  const { replaces, onlyIf } = JSON.parse(file('.template.config/template.json').replace(/^\s*\/\/.*$/gm, '')).symbols.region
  const texts = file('infra/main.bicep') + file('local.settings.sample.json')
  for (const { after } of onlyIf)
    assert.ok(texts.includes(after + replaces), after)
})

// An app setting is written NAME__PART in Azure and NAME:PART elsewhere.
const written = name => name.replaceAll('__', ':')
const appSettings = [main, files['app.bicep']]
  .flatMap(({ objects }) => objects.flat())
  .filter(name => /^[A-Z]/.test(name))

test('every app setting is explained in the README or in local.settings.sample.json', () => {
  const explained = [...matches(file('README.md'), /^\| `([\w:]+)`/gm), ...Object.keys(JSON.parse(file('local.settings.sample.json')).Values)].map(written)
  same(appSettings.map(written).filter(name => !explained.includes(name) && !explained.includes(name.split(':')[0])), [])
})

test('every setting that a trigger needs is an app setting', () => {
  const needed = list('functions', '.cs').flatMap(path => matches(file(path), /"%([\w:]+)%"/g))
  assert.ok(needed.length > 0)
  same(needed.filter(name => !appSettings.includes(name)), [])
})

test('Event Grid is sent to a route that exists', () => {
  const [route] = matches(files['events.bicep'].text, /\/api\/([\w/]+)\?/g)
  assert.ok(list('functions', '.cs').some(path => file(path).includes(`Route = "${route}"`)), route)
})

// A trigger's level and route, for each HTTP function.
const triggers = list('functions', '.cs').flatMap(path => [...file(path).matchAll(/HttpTrigger\(AuthorizationLevel\.(\w+).*?Route = "([^"]+)"\)/g)])
  .map(([, level, route]) => ({ level, pattern: new RegExp(`^${route.replace(/\{\w+\}/g, '[^/]+')}$`) }))

test('what workflows and texts ask of the deployed app exists, and takes no key where none is sent', () => {
  let asked = 0
  for (const path of ['README.md', 'infra/README.md', ...workflows].filter(path => existsSync(join(root, path)))) {
    for (const [line, route] of file(path).matchAll(/^.*AZURE_FUNCTION_URL\)\/api\/([\w/-]+).*$/gm)) {
      const trigger = triggers.find(({ pattern }) => pattern.test(route))
      assert.ok(trigger, `${path}: there is no route ${route}`)
      assert.ok(trigger.level === 'Anonymous' || line.includes('x-functions-key'), `${path}: /api/${route} wants a key`)
      asked++
    }
  }
  assert.ok(asked > 0)
})

test('the words that the deployment waits for are the app\'s own', () => {
  const [waited] = matches(file('.github/workflows/azure-dev.yml'), /grep "There is no (\w+) named/g)
  assert.ok(list('functions', '.cs').some(path => file(path).includes('There is no {kind} named \'{name}\'')))
  assert.ok(list('functions', '.cs').some(path => file(path).includes(`Problem.NotFound("${waited}", name)`)))
})
