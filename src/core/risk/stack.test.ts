import { describe, expect, test } from 'vitest'
import { loadPolicy } from '../policy/index.ts'
import { inspectReach, isPinned, packageOf } from './findings/reach.ts'
import { judgeTool } from './judge.ts'
import { viewStack } from './stack.ts'
import { combinationsOf, partsOf } from './toxic.ts'

const tool = (name: string, description = '', properties: object = {}, annotations: object = {}) =>
  judgeTool({
    name,
    description,
    inputSchema: { type: 'object', properties } as never,
    annotations: annotations as never,
  })
const policy = (document: object) => {
  const loaded = loadPolicy(JSON.stringify(document), { format: 'json' })
  if (!loaded.ok) throw new Error('the policy is not valid')
  return loaded.policy
}

describe('the parts that a tool can play', () => {
  test.each([
    ['read_inbox', 'Reads the emails of the inbox.', ['private_data', 'untrusted_content']],
    ['get_customer', 'Gets a customer.', ['private_data']],
    ['web_search', 'Searches the web.', ['untrusted_content']],
    ['send_email', 'Sends an email.', ['way_out']],
    ['archive_email', 'Archives an email.', []],
    ['delete_mail', 'Deletes a mail.', ['grave_action']],
    ['create_payment', 'Pays.', ['grave_action']],
    ['get_time', 'Gets the time.', []],
  ])('%s: %s', (name, description, parts) => {
    expect(partsOf(tool(name, description))).toEqual(parts)
  })
  test('fetching any address is a way out too', () => {
    expect(partsOf(tool('fetch', 'Fetches a page.', { url: { type: 'string' } }))).toEqual([
      'untrusted_content',
      'way_out',
    ])
  })
  test('running code reads what it likes', () => {
    const shell = tool('run_command', 'Runs a shell command.', { command: { type: 'string' } })
    expect(partsOf(shell)).toEqual(expect.arrayContaining(['private_data', 'way_out']))
  })
})

describe('combinations', () => {
  const inbox = { name: 'mail', tools: [tool('read_inbox', 'Reads the inbox.')] }
  const sender = { name: 'chat', tools: [tool('send_message', 'Sends a message.')] }
  test('across servers are found, and said to be across', () => {
    expect(combinationsOf([inbox, sender])).toMatchObject([
      { id: 'lethal_trifecta', severity: 'Critical', isAcross: true },
    ])
  })
  test('within one server are not across', () => {
    const all = { name: 'all', tools: [...inbox.tools, ...sender.tools] }
    expect(combinationsOf([all])).toMatchObject([{ id: 'lethal_trifecta', isAcross: false }])
  })
  test('need every part', () => {
    expect(combinationsOf([inbox])).toEqual([])
    expect(combinationsOf([sender])).toEqual([])
  })
  test('name a few tools of every server', () => {
    const many = Array.from({ length: 30 }, (_, i) => tool(`send_message_${i}`, 'Sends.'))
    const [{ parts = [] } = {}] = combinationsOf([inbox, { name: 'a', tools: many }, sender])
    expect(parts[2]).toMatchObject({ part: 'way_out', count: 31 })
    expect(parts[2]?.tools).toContain('chat/send_message')
    expect(parts[2]?.tools).toHaveLength(5)
  })
})

describe('what policies cover', () => {
  const document = {
    version: '1',
    default: 'deny',
    hide: ['drop_table'],
    tools: {
      'get_*': {},
      create_note: { limits: [{ counter: 'c', window: 'minute', max: 1 }] },
      delete_note: { action: 'approve' },
      run_query: { require: [{ conditions: [{ path: 'args.q', op: 'eq', value: 1 }] }] },
    },
  }
  const names = ['get_note', 'create_note', 'delete_note', 'run_query', 'drop_table', 'move_note']
  const view = viewStack([
    {
      name: 'notes',
      tools: names.map((name) => tool(name)),
      policies: [{ name: 'p', policy: policy(document) }],
    },
    { name: 'bare', tools: [tool('get_thing')], policies: [] },
  ])
  const coverage = (name: string) => view.tools.find((t) => t.name === name)?.policies[0]?.coverage
  test('is told for every tool', () => {
    expect(names.map(coverage)).toEqual([
      'open',
      'limited',
      'approval',
      'arguments',
      'hidden',
      'denied',
    ])
    expect(view.coverage).toEqual([
      {
        server: 'notes',
        policy: 'p',
        counts: { hidden: 1, denied: 1, approval: 1, arguments: 1, limited: 1, open: 1 },
      },
    ])
  })
  test('tells the tools that no policy has an entry for', () => {
    const bare = view.tools.filter((t) => t.isUncovered).map((t) => t.name)
    expect(bare.toSorted()).toEqual(['get_thing', 'move_note'])
  })
  test('puts the riskiest tools first', () => {
    expect(view.tools[0]?.severity).toBe('Critical')
    expect(view.tools.at(-1)?.severity).toBe('Low')
    expect(view.byCategory).toMatchObject({ Read: 2, Write: 2, Execute: 1, Destructive: 2 })
  })
})

describe('the way to a server', () => {
  const process = (command: string, ...args: string[]) =>
    ({ kind: 'process', command, args }) as const
  test.each([
    [process('npx', '-y', 'some-mcp'), 'some-mcp', false],
    [process('npx', '-y', '@scope/mcp@1.2.3', 'arg'), '@scope/mcp@1.2.3', true],
    [process('uvx', 'pkg@latest'), 'pkg@latest', false],
    [process('uvx', '--from', 'pkg==1.0', 'cmd'), 'pkg==1.0', true],
    [
      process('/usr/bin/docker', 'run', '-i', '--rm', '-e', 'K', 'org/image:1.4'),
      'org/image:1.4',
      true,
    ],
    [process('node', 'server.js'), undefined, undefined],
  ])('%j starts %s', (reach, named, pinned) => {
    expect([packageOf(reach), isPinned(reach)]).toEqual([named, pinned])
  })
  test('to a package that is named almost like a well-known one is found', () => {
    const ids = (named: string) => inspectReach(process('npx', '-y', named)).map(({ id }) => id)
    for (const named of [
      '@modelcontextprotocoll/server-filesystem@1.0.0',
      '@modelcontextprotocol/server-filesytem@1.0.0',
      'mcp-rem0te@1.0.0',
      'firecrawI-mcp@1.0.0',
    ])
      expect([named, ids(named)]).toEqual([named, ['look_alike_package']])
    for (const named of [
      '@modelcontextprotocol/server-filesystem@1.0.0',
      '@me/mcp@1.0.0',
      'mcp-remote@1.0.0',
    ])
      expect(ids(named)).toEqual([])
  })
  test('without TLS or a credential is found, on this machine it is not', () => {
    const ids = (url: string, headerNames: string[] = []) =>
      inspectReach({ kind: 'url', url, headerNames }).map(({ id }) => id)
    expect(ids('http://mcp.example.com/mcp')).toEqual(['unencrypted', 'no_credential'])
    expect(ids('https://mcp.example.com/mcp', ['Authorization'])).toEqual([])
    expect(ids('http://127.0.0.1:1234/mcp')).toEqual([])
    expect(ids('http://127.0.0.1.evil.example/mcp')).toContain('unencrypted')
    expect(ids('http://localhost@evil.example/mcp')).toContain('unencrypted')
  })
  test('with a secret among its arguments is found, and the secret is not quoted', () => {
    const key = `ghp_${'a1B2'.repeat(9)}`
    const [found] = inspectReach(process('server', '--token', key))
    expect(found?.id).toBe('secret_in_arguments')
    expect(JSON.stringify(found)).not.toContain(key)
  })
})
