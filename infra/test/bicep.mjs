// Reads a Bicep file into what the tests ask about. It is a reader, not a compiler: types and API schemas are left to `az bicep build`.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Language, Parser } from 'web-tree-sitter'

await Parser.init()
const parser = new Parser()
parser.setLanguage(await Language.load(fileURLToPath(import.meta.resolve('tree-sitter-bicep/tree-sitter-bicep.wasm'))))

export function read(path) {
  const root = parser.parse(readFileSync(path, 'utf8')).rootNode
  const declared = kind => root.descendantsOfType(kind)
  return {
    path,
    errors: all(root).filter(node => node.isError || node.isMissing).map(at),
    params: declared('parameter_declaration').map(node => ({
      name: name(node),
      required: node.namedChildCount === 2, // a name and a type, but no default
      secure: decorators(node).includes('@secure()'),
      described: decorators(node).includes('@description('),
    })),
    outputs: declared('output_declaration').map(name),
    modules: declared('module_declaration').map(node => ({
      name: name(node),
      file: text(node.namedChildren[1]),
      params: keys(property(body(node), 'params')),
    })),
    resources: declared('resource_declaration').map(node => ({
      name: name(node),
      type: text(node.namedChildren[1]),
      nested: node.parent.type !== 'infrastructure',
    })),
    // module.outputs.name, however it is dereferenced
    moduleOutputs: declared('member_expression')
      .map(node => node.text.match(/^(\w+)[!?.]*\.outputs\.(\w+)$/))
      .filter(match => match)
      .map(([, module, output]) => ({ module, output })),
    references: references(root).map(node => node.text),
    unknownNames: unknownNames(root),
    objects: declared('object').map(keys),
    strings: declared('string').map(text),
    text: root.text,
  }
}

function unknownNames(root) {
  const kinds = ['parameter_declaration', 'variable_declaration', 'module_declaration', 'resource_declaration']
  const known = new Set([...root.descendantsOfType(kinds).map(name), ...root.descendantsOfType(['loop_variable', 'loop_enumerator']).map(node => node.text), ...root.descendantsOfType('for_statement').map(name)])
  return references(root).filter(node => !known.has(node.text)).map(at)
}

const references = root => root.descendantsOfType('identifier').filter(node => !isLabel(node))

// An identifier that names something new or is the name of a property, a function or a nested resource, rather than a reference.
function isLabel(node) {
  const { parent } = node
  return parent.type.endsWith('_declaration') && parent.namedChildren[0].equals(node)
    || parent.type === 'object_property' && parent.namedChildren[0].equals(node)
    || parent.type === 'call_expression' && parent.childForFieldName('function').equals(node)
    || parent.type === 'resource_expression' && parent.childForFieldName('resource').equals(node)
}

const all = node => [node, ...node.children.flatMap(all)]
const at = node => `line ${node.startPosition.row + 1}: ${node.text.slice(0, 60)}`
const name = node => node.namedChildren[0].text
const text = node => node.text.replace(/^'|'$/g, '')
const body = node => node.descendantsOfType('object')[0]
const properties = object => object?.namedChildren.filter(node => node.type === 'object_property') ?? []
const keys = object => properties(object).map(node => text(node.namedChildren[0]))
const property = (object, key) => properties(object).find(node => text(node.namedChildren[0]) === key)?.namedChildren[1]
const decorators = node => node.previousNamedSibling?.type === 'decorators' ? node.previousNamedSibling.text : ''
