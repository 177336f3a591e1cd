import { attacks, owasp } from '../../core/risk/attacks.ts'
import type { Finding } from '../../core/risk/findings/finding.ts'
import { compareSeverities } from '../../core/risk/findings/index.ts'
import { precedence } from '../../core/risk/model.ts'
import { recommendServer } from '../../core/risk/recommend.ts'
import { printable } from '../printable.ts'
import type { Report, ScannedServer } from './report.ts'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text of others within a page: nothing in it is markup, and nothing in it is unseen. */
const esc = (text: string): string =>
  printable.text(text).replace(/[&<>"']/g, (letter) => entities[letter] ?? letter)

// No script and nothing from elsewhere: the page is read where its author is not trusted.
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#667;--line:#d8dde3;--card:#f6f8fa;--crit:#b3123b;--high:#c2410c;--med:#a16207;--low:#4d6b57}
@media(prefers-color-scheme:dark){:root{--bg:#0e1116;--fg:#e6e9ee;--dim:#98a2b0;--line:#2b323c;--card:#161b22;--crit:#ff6b8b;--high:#ff9d66;--med:#e5b94e;--low:#8bc0a0}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
main{max-width:76rem;margin:0 auto;padding:2rem 1rem 4rem}h1{font-size:1.6rem;margin:0 0 .25rem}h2{margin:0;font-size:1.15rem}
.dim{color:var(--dim)}.cards{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.25rem 0}.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem 1rem;min-width:7rem}.card b{display:block;font-size:1.5rem}
section{border:1px solid var(--line);border-radius:.6rem;margin:1rem 0;padding:1rem 1.2rem;overflow-x:auto}header.s{display:flex;gap:1rem;align-items:baseline;flex-wrap:wrap}
.mark{font-weight:700;font-size:1.3rem;border-radius:.4rem;padding:0 .5rem;border:2px solid currentColor}
table{border-collapse:collapse;width:100%;margin-top:.75rem}th{text-align:left;font-weight:600;color:var(--dim)}td,th{padding:.3rem .6rem .3rem 0;border-top:1px solid var(--line);vertical-align:top}
td code{overflow-wrap:anywhere}code,pre{font:13px/1.45 ui-monospace,monospace}pre{background:var(--card);padding:.75rem;border-radius:.4rem;overflow-x:auto}
.Critical,.F{color:var(--crit)}.High,.D{color:var(--high)}.Medium,.C{color:var(--med)}.Low,.A,.B{color:var(--low)}.sev{font-weight:600;white-space:nowrap}summary{cursor:pointer;margin-top:.75rem}ul{margin:.5rem 0;padding-left:1.2rem}`

/** A scan as one page that needs nothing else: no script, no font, no request. */
export function reportHtml(report: Report, at: Date): string {
  const { servers, stack } = report
  const scanned = servers.filter((s) => s.state === 'scanned')
  const count = (severity: 'Critical' | 'High'): number =>
    scanned.reduce(
      (sum, s) =>
        sum +
        [...s.findings, ...s.tools.flatMap((t) => t.findings)].filter(
          (f) => f.severity === severity,
        ).length,
      0,
    )
  const card = (n: number | string, what: string, kind = ''): string =>
    `<div class="card"><b class="${kind}">${n}</b>${what}</div>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>What agents can call</title><style>${STYLE}</style></head>
<body><main><h1>What agents can call</h1><p class="dim">Scanned by sallyport, ${esc(at.toISOString().slice(0, 16).replace('T', ' '))} UTC. Classes follow from the definitions alone.</p>
<div class="cards">${card(scanned.length, `servers of ${servers.length}`)}${card(stack.tools.length, 'tools')}${precedence.map((c) => card(stack.byCategory[c], c)).join('')}${card(count('Critical'), 'critical findings', 'Critical')}${card(count('High'), 'high findings', 'High')}</div>
${togetherHtml(report)}
${servers.map(serverHtml).join('\n')}
</main></body></html>
`
}

function togetherHtml({ stack }: Report): string {
  const rows = [
    ...stack.combinations.map(
      (c) =>
        `<li><span class="sev ${c.severity}">${c.severity}</span> ${esc(c.message)}${c.isAcross ? ' (across servers)' : ''}<ul>${c.parts.map((p) => `<li>${esc(p.part.replaceAll('_', ' '))}: <code>${esc(p.tools.join(', '))}</code>${p.count > p.tools.length ? ` and ${p.count - p.tools.length} more` : ''}</li>`).join('')}</ul></li>`,
    ),
    ...stack.findings.map(
      (f) =>
        `<li><span class="sev ${f.severity}">${f.severity}</span> <code>${esc(f.server)}${f.tool === undefined ? '' : `/${esc(f.tool)}`}</code> ${esc(f.message)} (<code>${esc(f.other)}</code>)</li>`,
    ),
    ...stack.coverage.map(
      (c) =>
        `<li><code>${esc(c.server)}</code> under <code>${esc(c.policy)}</code>: ${Object.entries(
          c.counts,
        )
          .filter(([, n]) => n > 0)
          .map(([what, n]) => `${n} ${what}`)
          .join(', ')}</li>`,
    ),
  ]
  return rows.length === 0
    ? ''
    : `<section><h2>All together</h2><ul>${rows.join('')}</ul></section>`
}

function serverHtml(server: ScannedServer): string {
  const origin = server.origins.length === 0 ? '' : ` · ${esc(server.origins.join(', '))}`
  const title = `<h2>${esc(server.name)}</h2><span class="dim"><code>${esc(server.target)}</code>${origin}</span>`
  if (server.state !== 'scanned')
    return `<section><header class="s">${title}</header><p>Not scanned: ${esc(server.reason)}</p></section>`
  const { grade, tools } = server
  const sorted = tools.toSorted((a, b) =>
    compareSeverities(b.classification.severity, a.classification.severity),
  )
  const rows = sorted.map(({ name, classification: c }) => {
    const why = c.evidence
      .slice(0, 4)
      .map((e) => `<span title="${esc(e.signal)}">“${esc(e.quote)}”</span>`)
    return `<tr><td class="sev ${c.severity}">${c.severity}</td><td>${c.category}</td><td><code>${esc(name)}</code></td><td class="dim">${why.join(' ')}</td></tr>`
  })
  const findings = [
    ...server.findings.map((f) => findingHtml('', f)),
    ...tools.flatMap((tool) => tool.findings.map((f) => findingHtml(tool.name, f))),
  ]
  const policy = JSON.stringify(recommendServer(server.name, tools), null, 2)
  return `<section><header class="s"><span class="mark ${grade.mark}">${grade.mark}</span>${title}</header>
<p class="dim">100 ${grade.deductions.map((d) => `− ${d.points} (${esc(d.for)})`).join(' ')} = ${grade.score}</p>
${findings.length === 0 ? '' : `<ul>${findings.join('')}</ul>`}
<table><thead><tr><th>Severity</th><th>Class</th><th>Tool</th><th>Evidence</th></tr></thead><tbody>${rows.join('')}</tbody></table>
<details><summary>Recommended policy</summary><pre>${escLines(policy)}</pre></details></section>`
}

const escLines = (text: string): string => text.split('\n').map(esc).join('\n')

function findingHtml(tool: string, f: Finding): string {
  const named = f.attacks.map((id) => attacks[id].name).join(', ')
  return `<li><span class="sev ${f.severity}">${f.severity}</span> ${tool === '' ? 'the server' : `<code>${esc(tool)}</code>`} ${esc(f.message)}${f.quote === '' ? '' : ` <span class="dim">“${esc(f.quote)}”</span>`} <span class="dim" title="${esc(owasp[f.owasp])}">${f.owasp} · ${esc(named)} · ${esc(f.at)}</span></li>`
}
