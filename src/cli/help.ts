import type { Command, Flag } from './command.ts'
import { commands, type Listed } from './commands/index.ts'
import type { Paint } from './paint.ts'

const table: Readonly<Record<string, Listed>> = commands

/** Flags that every command has. */
export const commonFlags = {
  help: { type: 'boolean', short: 'h', about: 'show this help' },
} satisfies Record<string, Flag>

/** What `sallyport --help` prints. */
export function overview(paint: Paint): string {
  return [
    'The policy gateway for MCP: no tool call reaches a server without passing a policy.',
    '',
    `${paint.bold('Usage')}  sallyport <command> [flags]`,
    '',
    paint.bold('Commands'),
    ...rows(Object.entries(table).map(([name, { summary }]) => [paint.cyan(name), summary, name])),
    '',
    paint.bold('Examples'),
    ...rows(
      [
        ['sallyport serve --config sallyport.yaml', 'run the gateway'],
        ['sallyport wrap --policy readonly.json -- npx some-mcp-server', 'guard one server'],
        ['sallyport log --follow', 'watch decisions'],
      ].map(([line = '', does = '']) => [line, paint.dim(does), line]),
    ),
    '',
    '`sallyport <command> --help` shows flags and examples of one command.',
    '',
  ].join('\n')
}

/** What `sallyport policy --help` prints. */
export function groupHelp(group: string, paint: Paint): string {
  const members = Object.entries(table).filter(([name]) => name.startsWith(`${group} `))
  return [
    `${paint.bold('Usage')}  sallyport ${group} <command> [flags]`,
    '',
    paint.bold('Commands'),
    ...rows(members.map(([name, { summary }]) => [paint.cyan(name), summary, name])),
    '',
    `\`sallyport ${group} <command> --help\` shows flags and examples of one command.`,
    '',
  ].join('\n')
}

/** What `sallyport <command> --help` prints. */
export function commandHelp(name: string, command: Command, paint: Paint): string {
  const flags = Object.entries<Flag>({ ...command.flags, ...commonFlags })
  const usage = command.usage === '' ? '' : ` ${command.usage}`
  return [
    command.about,
    '',
    `${paint.bold('Usage')}  sallyport ${name}${usage}`,
    '',
    paint.bold('Flags'),
    ...rows(
      flags.map(([flag, f]) => {
        const short = f.short === undefined ? '' : `-${f.short}, `
        const shown = `${short}--${flag}${f.value === undefined ? '' : ` ${f.value}`}`
        return [paint.cyan(shown), f.about, shown]
      }),
    ),
    '',
    paint.bold('Examples'),
    ...command.examples.flatMap(([line, does]) => [
      `  ${paint.dim(`# ${does}`)}`,
      `  sallyport ${line}`,
    ]),
    '',
  ].join('\n')
}

/** Two columns; the third member of each row is its first without colour. */
function rows(all: readonly (readonly string[])[]): string[] {
  const width = Math.max(...all.map(([, , plain = '']) => plain.length))
  return all.map(([shown = '', about = '', plain = '']) => {
    const gap = ' '.repeat(width - plain.length + 2)
    return `  ${shown}${gap}${about}`
  })
}
