// Judges requests to AWS by an evaluator of IAM that is not ours, @cloud-copilot/iam-simulate. make proof-iam calls it.
//
//     node scripts/iam.mjs RENDERED FOLDER <requests >verdicts
//
// RENDERED is the rendered template: each function's rights are its role's policies, and those of a file of docs/policies
// stand there. FOLDER gets each policy in a file of its own, for a linter. Requests are lines of JSON as
// internal/testkit/recording writes them; for each comes a line with its parts (a batch is a request for each table)
// and whether all of them are allowed.
//
// What a request has for IAM's condition keys is read from its body here, by dynalite's parsers of expressions, and not
// by internal/dev/template, so that a mistake there is found. It is as AWS describes it:
// - which keys there are, and for which action: the Service Authorization Reference, which the evaluator brings along;
//   it drops what an action has not. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
// - LeadingKeys are the values of the partition key; Attributes the top-level names in a request; Select and ReturnValues
//   the parameters: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
// - what Select is where neither it nor a projection is sent: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import readline from 'node:readline'
import { pathToFileURL } from 'node:url'

const tools = createRequire(path.resolve('.tools/iam/package.json'))
const { runSimulation } = await import(pathToFileURL(tools.resolve('@cloud-copilot/iam-simulate')))
const engine = createRequire(path.resolve('package.json'))
const [conditions, projections, updates] = ['condition', 'projection', 'update'].map(kind => engine(`dynalite/db/${kind}Parser`))

const account = '123456789012', region = 'us-east-1'
const [rendered, folder] = process.argv.slice(2)
const resources = JSON.parse(fs.readFileSync(rendered)).Resources

const arn = (service, name) => `arn:aws:${service}:${region}:${account}:${name}`
const nameOf = id => `partnerview-${id}-1`
const bucketOf = id => `arn:aws:s3:::partnerview-${id.toLowerCase()}-1`
const arns = {
  'AWS::DynamoDB::Table': id => arn('dynamodb', `table/${nameOf(id)}`),
  'AWS::Logs::LogGroup': id => arn('logs', `log-group:${nameOf(id)}:*`),
  'AWS::Lambda::Function': id => arn('lambda', `function:${nameOf(id)}`),
  'AWS::StepFunctions::StateMachine': id => arn('states', `stateMachine:${nameOf(id)}`),
  'AWS::Events::Rule': id => arn('events', `rule/${nameOf(id)}`),
  'AWS::SQS::Queue': id => arn('sqs', nameOf(id)),
  'AWS::S3::Bucket': bucketOf,
}
const pseudo = { 'AWS::Partition': 'aws', 'AWS::Region': region, 'AWS::AccountId': account }

function attribute(id, name) {
  const known = arns[resources[id]?.Type]
  if (name !== 'Arn' || !known) throw new Error(`${id}.${name} is not understood`)
  return known(id)
}

// resolved is a value of the template with its functions carried out.
function resolved(value) {
  if (Array.isArray(value)) return value.map(resolved)
  if (value === null || typeof value !== 'object') return value
  const [key, ...more] = Object.keys(value), argument = value[key]
  if (more.length === 0 && key === 'Ref') return pseudo[argument] ?? nameOf(argument)
  if (more.length === 0 && key === 'Fn::GetAtt') return attribute(...argument)
  if (more.length === 0 && key === 'Fn::Sub') {
    return argument.replace(/\$\{([^}]+)\}/g, (_, name) => name.includes('.') ? attribute(...name.split('.')) : pseudo[name] ?? nameOf(name))
  }
  if (key.startsWith('Fn::')) throw new Error(`${key} is not understood`)
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolved(v)]))
}

// keep writes a policy into the folder, and passes it on.
function keep(name, policy) {
  fs.writeFileSync(path.join(folder, name + '.json'), JSON.stringify(policy, null, 1))
  return { name, policy }
}

// What may be done, by role: a function's logical ID, or a file's name.
const rights = new Map()
for (const [id, { Type, Properties }] of Object.entries(resources)) {
  if (Type === 'AWS::Lambda::Function') {
    const role = resolved(resources[Properties.Role['Fn::GetAtt'][0]].Properties.Policies)
    rights.set(id, role.map(p => keep(`${id}-${p.PolicyName}`, p.PolicyDocument)))
  } else if (Properties?.PolicyDocument) {
    keep(id, resolved(Properties.PolicyDocument))
  } else if (Type === 'AWS::IAM::Role') {
    const users = Object.values(resources).some(r => r.Type === 'AWS::Lambda::Function' && r.Properties.Role['Fn::GetAtt'][0] === id)
    if (!users) resolved(Properties.Policies ?? []).forEach(p => keep(`${id}-${p.PolicyName}`, p.PolicyDocument))
  }
}
for (const name of fs.readdirSync('docs/policies')) {
  const text = fs.readFileSync(path.join('docs/policies', name))
  rights.set(`docs/policies/${name}`, [keep(`docs-${name.replace('.json', '')}`, JSON.parse(text))])
}

const isValue = node => Object.keys(node).length === 1 && /^(S|N|B|SS|NS|BS|M|L|BOOL|NULL)$/.test(Object.keys(node)[0])

// heads adds the top-level attributes of what a parser has made: a path is a list like ['products', 0].
function heads(node, found) {
  if (Array.isArray(node)) {
    if (typeof node[0] === 'string' && node.every(step => typeof step !== 'object')) found.add(node[0])
    else node.forEach(part => heads(part, found))
  } else if (node && typeof node === 'object' && !isValue(node)) {
    Object.values(node).forEach(part => heads(part, found))
  }
  return found
}

function parsed(parser, text, body) {
  const context = { attrNames: body.ExpressionAttributeNames, attrVals: body.ExpressionAttributeValues, unusedAttrNames: {}, unusedAttrVals: {}, isReserved: () => false, compare: () => false }
  return parser.parse(text, { context })
}

// equals are the values that an attribute must equal, by a condition on keys.
function equals(node, name) {
  if (!node || typeof node !== 'object') return []
  if (node.type === '=' && Array.isArray(node.args[0]) && node.args[0][0] === name) return Object.values(node.args[1])
  return Object.values(node).flatMap(part => equals(part, name))
}

function partitionKey(table, index) {
  const { Properties } = resources[table.split('-')[1]] ?? {}
  if (!Properties) throw new Error(`there is no table ${table} in the template`)
  const of = index ? Properties.GlobalSecondaryIndexes.find(i => i.IndexName === index) : Properties
  return of?.KeySchema.find(k => k.KeyType === 'HASH').AttributeName
}

// contextOf is what IAM has to judge a request on one table by.
function contextOf(operation, table, body) {
  const named = new Set(), leading = new Set(), partition = partitionKey(table, body.IndexName)
  const bodies = operation === 'BatchWriteItem' ? body.map(r => r.PutRequest ?? r.DeleteRequest) : [body]
  for (const b of bodies) {
    for (const [field, parser] of [['ProjectionExpression', projections], ['KeyConditionExpression', conditions], ['FilterExpression', conditions],
      ['ConditionExpression', conditions], ['UpdateExpression', updates]]) {
      if (b[field]) heads(parsed(parser, b[field], b), named)
    }
    for (const item of [b.Key, b.Item, b.ExclusiveStartKey, ...(b.Keys ?? [])]) {
      Object.keys(item ?? {}).forEach(name => named.add(name))
      if (item !== b.ExclusiveStartKey && item?.[partition]) leading.add(Object.values(item[partition])[0])
    }
    if (b.KeyConditionExpression) equals(parsed(conditions, b.KeyConditionExpression, b), partition).forEach(v => leading.add(v))
  }
  const context = {}
  if (named.size) context['dynamodb:Attributes'] = [...named].sort()
  if (leading.size) context['dynamodb:LeadingKeys'] = [...leading].sort()
  if (/^(GetItem|BatchGetItem|Query|Scan)$/.test(operation)) {
    const all = body.IndexName ? 'ALL_PROJECTED_ATTRIBUTES' : 'ALL_ATTRIBUTES'
    const select = body.Select ?? (body.ProjectionExpression ? undefined : all)
    if (select) context['dynamodb:Select'] = select
  }
  if (body.ReturnValues) context['dynamodb:ReturnValues'] = body.ReturnValues
  if (body.ReturnConsumedCapacity) context['dynamodb:ReturnConsumedCapacity'] = body.ReturnConsumedCapacity
  return context
}

// partsOf are what a request asks for, as IAM takes it.
function partsOf(request) {
  if (request.action) {
    return [{ action: request.action, resource: request.resource ?? `${bucketOf('InboxBucket')}/${request.key}`, context: {} }]
  }
  const operation = request.target.split('.')[1], body = request.body
  const tables = operation.startsWith('Batch') ? Object.entries(body.RequestItems) : [[body.TableName, body]]
  return tables.sort(([a], [b]) => a < b ? -1 : 1).map(([table, of]) => ({
    action: `dynamodb:${operation}`,
    resource: arn('dynamodb', `table/${table}`) + (of.IndexName ? `/index/${of.IndexName}` : ''),
    context: contextOf(operation, table, of),
  }))
}

async function judge(role, { action, resource, context }) {
  const policies = rights.get(role)
  if (!policies) throw new Error(`${role} is no function of the template and no file of docs/policies`)
  const response = await runSimulation({
    identityPolicies: policies, serviceControlPolicies: [], resourceControlPolicies: [],
    request: { action, principal: `arn:aws:iam::${account}:role/${role.split('/').pop()}`, resource: { resource, accountId: account }, contextVariables: context },
  }, {})
  if (response.resultType !== 'single') throw new Error(`${role} ${action} ${resource}: ${JSON.stringify(response.errors)}`)
  return { action, resource, context, allowed: response.overallResult === 'Allowed', ignored: response.result.ignoredContextKeys ?? [] }
}

const judged = new Map() // many requests have the same for IAM
async function once(role, part) {
  const key = JSON.stringify([role, part])
  if (!judged.has(key)) judged.set(key, await judge(role, part))
  return judged.get(key)
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const request = JSON.parse(line), parts = []
  for (const part of partsOf(request)) parts.push(await once(request.role, part))
  process.stdout.write(JSON.stringify({ allowed: parts.every(p => p.allowed), parts }) + '\n')
}
