import { expect, test } from 'vitest'
import { childEnvironment, handedEnvironment } from './child-environment.ts'

test('a child sees what it needs to start, what is configured, and nothing else of ours', () => {
  const ours = {
    PATH: '/bin',
    HOME: '/home/a',
    LC_ALL: 'C',
    AWS_SECRET_ACCESS_KEY: 'no',
    SALLYPORT_ADMIN_TOKEN: 'no',
    NODE_OPTIONS: '--inspect',
    LD_PRELOAD: 'no',
    SHELL: undefined,
  }
  expect(childEnvironment(ours, { REGION: 'here' })).toEqual({
    PATH: '/bin',
    HOME: '/home/a',
    LC_ALL: 'C',
    REGION: 'here',
  })
})

test('what is configured wins over what is inherited', () => {
  expect(childEnvironment({ PATH: '/bin' }, { PATH: '/opt' })).toEqual({ PATH: '/opt' })
})

test('an exported shell function is not inherited', () => {
  expect(childEnvironment({ TERM: '() { :; }' }, {})).toEqual({})
})

test('a server started in place of a client gets what the client set, but nothing of the gateway', () => {
  const ours = {
    PATH: '/bin',
    API_KEY: 'of the server',
    SALLYPORT_ADMIN_TOKEN: 'no',
    EMPTY: undefined,
  }
  expect(handedEnvironment(ours)).toEqual({ PATH: '/bin', API_KEY: 'of the server' })
})
