import { BlockList, isIP } from 'node:net'

// One list per family: a mapped IPv6 network would also match every IPv4 address.
const blocked4 = new BlockList()
const blocked6 = new BlockList()
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  blocked4.addSubnet(address, prefix, 'ipv4')
for (const [address, prefix] of [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  blocked6.addSubnet(address, prefix, 'ipv6')

/**
 * True when a URL's host names this machine or a private network, however it is spelt (the URL
 * parser has already made `0x7f.1` and the like into addresses). Names that only resolve there are
 * not seen here.
 */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
  const family = isIP(host)
  if (family === 4) return blocked4.check(host, 'ipv4')
  if (family === 6) return blocked6.check(host, 'ipv6')
  return host === 'localhost' || host.endsWith('.localhost') || !host.includes('.')
}
