import type { Check, Hit } from './finding.ts'
import type { Passage } from './passages.ts'

/** One thing that orders to a model have about them; each is common in honest text, few together are. */
interface Trait {
  readonly weight: number
  readonly pattern: RegExp
}

const HOLDINGS = `conversations?|chats?|messages?|prompts?|context|history|session|transcript`
const GOODS = [
  String.raw`(?:whole|entire|full|complete|prior|previous|past|earlier|message|chat|conversation|browsing|shell|system) (?:\w+ )?(?:${HOLDINGS})\b`,
  String.raw`(?:all|any|every|current) (?:the )?(?:conversation|chat)s?\b`,
  `(?:anything|everything|whatever|(?:all|any) (?:outputs?|results?|data|content)) (?:that (?:is|was) )?(?:returned|produced|read|fetched|written) by`,
  `history of (?:the )?(?:${HOLDINGS})`,
  `(?:everything|anything|all|whatever|what) (?:that )?(?:the|your) (?:user|human|customer) (?:has|have|had|ever|said|told|typed|wrote|asked|shared)`,
  `(?:hidden|secret|initial|original|internal) (?:system |developer )?(?:messages?|prompts?|instructions?)|(?:everything|anything|whatever|what|all) (?:that )?you (?:were|have been|are) (?:told|given|instructed)|verification codes?|one-time (?:codes?|passwords?)|saved (?:logins?|cards?)|customer list`,
  `(?:last|latest|recent|earliest) (?:[a-z]+ )?(?:user|chat|conversation) (?:messages?|turns?|prompts?)`,
  String.raw`(?:everything|all files|files) in the (?:home|user'?s?|root|desktop|documents)\b|home directory to|(?:reveal|disclose|expose|print|repeat|recite) (?:your|the system|all of your|all your)\b`,
  `personal (?:details|data|information|files)|credit card|card numbers?|home address|social security`,
  String.raw`passwords?(?: (?:store|manager|file|vault))?|passphrases?|\.?bash_history|\.ssh|id_rsa|\.env\b|\.aws\b|\.netrc|\.npmrc|\.config\/|credentials\.\w+|(?:the |your |their )?credentials (?:of|to|file|store|for other)|mcp\.json|keychain|seed phrase|mnemonic|private keys?|ssh keys?|session (?:tokens?|cookies?)|cookies`,
  String.raw`(?:oauth|bearer|access|auth|refresh) (?:bearer )?tokens?|api[ _-]?keys?|\w+_(?:api_key|token|secret|password)\b|output of .?(?:env|printenv|set|whoami|id|ps|ls ~)\b|(?:repository|repo|account|user|stored|saved|aws|cloud) secrets?|secrets? (?:with|from|of|in)\b`,
  String.raw`\/etc\/\w+|~\/(?!downloads|documents|desktop|projects?|my)\S+|\$home\/\S*|file:\/\/`,
  String.raw`list of (?:all )?(?:your |available |other |connected )(?:tools|servers)|other (?:servers|tools)'? (?:\w+ )?(?:tokens?|keys?|config\w*|credentials?)`,
].join('|')

const traits = {
  obliges: {
    weight: 1,
    pattern:
      /\b(?:must|always|never|have to|has to|need(?:s|ed)? to|required?|requires|should|shall|obliged|periodically|whenever|any ?time|every ?time|each time|prior to|before|after|first|once|only)\b/,
  },
  names_model: {
    weight: 1,
    pattern:
      /\b(?:assistants?|ai|llms?|language models?|(?:the|this|any|each|every|calling|your) (?:model|agent)s?|claude|gpt|copilot|cursor)\b|\byou(?:r|'re)?\b/,
  },
  sensitive: { weight: 2, pattern: new RegExp(String.raw`(?:^|[^\w])(?:${GOODS})`) },
  names_keys: {
    weight: 1,
    pattern: /\bcredentials?\b|\benvironment variables?\b|\benv vars?\b|\bsecrets?\b|\btokens?\b/,
  },
  moves: {
    weight: 1,
    pattern:
      /\b(?:pass|send|forward|post|upload|include|suppl(?:y|ies)|provide|fill|paste|put|copy|copies|mirror(?:ed)?|attach|insert|bcc|begins? with|cit(?:e|ing)|store|transmit|share|hand|give|append|embed|reveal|contain|return|relay|report|dump|set to|value of|use them|use it|forwarded|posted|sent|submit)s?\b/,
  },
  into_argument: {
    weight: 1,
    pattern:
      /\b(?:argument|parameter|field|variable|header)\b|\b(?:in|into|as|to|with) (?:the )?[`'"]\w+[`'"]|\binto the \w+\b|\bthe (?:query|input|prompt|title|note|text|message|value) (?:has to|must|should|needs to|is to) (?:contain|include|begin|start|end|hold)\b/,
  },
  leaves: {
    weight: 2,
    pattern:
      /\b(?:call|use)\b[^.]{0,40}\b(?:url|endpoint|host|to|target)=\S|\b(?:send|sent|post|posted|upload|uploaded|forward|forwarded|mirror(?:ed)?|submit|submitted|cop(?:y|ies|ied)|report|transmit(?:ted)?|link|bcc|cc|relay|deliver(?:ed)?|share|shared|push|redirect(?:ed)?|keepalive)s?\b[^.]{0,60}?(?:https?:\/\/|\b[\w.+-]{1,64}@[\w-]{1,64}\.\w|\b(?:[\w-]{1,40}\.){1,4}(?:io|com|net|org|sh|xyz|tld|example|ru|cn|dev|app|co|me|info|biz|top)\b)|\bremote (?:host|server|machine|endpoint)\b|\b(?:our|my|their|external|partner'?s?|third[- ]party) (?:\w+ )?(?:server|host|endpoint|partners?|collector|webhook|backend)\b/,
  },
  runs_code: {
    weight: 4,
    pattern:
      /\b(?:curl|wget|iwr|invoke-webrequest)\b[^|]{0,120}\|\s*(?:ba|z|k)?sh\b|\b(?:downloads?|fetche?s?)\b[^.]{0,24}\b(?:and|then) (?:runs?|executes?|installs?)\b|\b(?:cat|type|open|read) ~?\/?\.\w+_?\w*|\brm -rf\b|\bchmod \+x\b|\bbase64 -d\b|\bnc -e\b/,
  },
  conceals: {
    weight: 3,
    pattern:
      /\b(?:no need|not necessary|unnecessary|needn'?t|not (?:be )?need(?:ed)?)\b[^.]{0,12}\bto (?:notify|inform|mention|tell|alert|bring|say|disclose|(?:ask|confirm|report)\b[^.]{0,16}\b(?:user|human|owner|permission|anyone))\b|\bpretend(?:s|ing)?\b|\b(?:hide|conceal|mask|obscure)s?\b[^.]{0,40}\bfrom (?:the |any )?(?:user|human|owner|person|operator|anyone)\b|\b(?:user|human|owner) already (?:knows?|agreed|approved|consented)\b|\bconfidential\b[^.]{0,30}\b(?:ai|model|assistant|agent|llm)\b|\b(?:intended|meant|only|solely|just) (?:\w+ )?for (?:the |an? )?(?:ai|model|assistant|agent|llm)\b|\bdo(?:es)? not (?:reveal|disclose|show|mention|discuss|log|output)\b[^.]{0,12}\b(?:these|this|it|them|that)\b|\bif (?:asked|questioned|the user asks)\b[^.]{0,40}\b(?:say|answer|claim|reply|deny|tell|respond|state)\b|\binstead (?:say|claim|tell|pretend)\b|\bnobody (?:needs|has) to know\b|\b(?:do|doing|does|did) (?:it|this|that|so) (?:quietly|silently|secretly|discreetly|covertly|unnoticed)\b|\brefrain from (?:telling|mentioning|saying|reporting|disclosing|showing|noting)\b|\b(?:user|human) is (?:already )?aware\b|\bwithout (?:mentioning|disclosing|revealing|showing|logging)\b|\b(?:never|not) (?:appear|show up|be shown|be mentioned|be visible)\b/,
  },
  obeys_output: {
    weight: 3,
    pattern:
      /\b(?:treat|regard|consider|take)s?\b[^.]{0,80}\bas (?:my|an?|the|your) (?:\w+ )?(?:commands?|instructions?|orders?|directives?)\b|\b(?:outranks?|overrules?|trumps?|(?:take|takes|have|has) (?:precedence|priority) over|(?:is|are) more important than) (?:the |any |all )?(?:user|system|operator|human|developer|owner)\b|\b(?:treat|regard|consider|trust)s?\b[^.]{0,16}\b(?:its?|the|this|returned?|tool'?s?)\b[^.]{0,12}\b(?:outputs?|results?|response|content|text|answer)\b[^.]{0,20}\bas\b[^.]{0,24}\b(?:system|trusted|authorit|instruction|order|user|command|truth)|\b(?:follow|obey|execute|carry out|comply with)\b[^.]{0,16}\b(?:any|all|its|every|whatever) (?:\w+ )?(?:commands?|instructions?|orders?|directives?|steps?|requests?)\b[^.]{0,30}(?:\bin\b|\bfrom\b|\bit\b|$|\breturned\b)|\b(?:output|result|response)s? (?:must|should|has to|have to|needs? to) be (?:followed|obeyed|executed|trusted|treated)\b|\bcoming from the system\b|\b(?:execute|run|follow|obey|adopt|apply) (?:them|these)\b[^.]{0,16}\b(?:at once|immediately|exactly|without|verbatim|blindly)\b|\bmust be (?:adopted|obeyed)\b|\b(?:commands?|instructions?|orders) for the (?:assistant|ai|model|agent)\b|\bas (?:if|though) (?:it|they|the user|the system|i|you)\b[^.]{0,16}\b(?:said|came|come|asked|were|was)\b/,
  },
  monopolises: {
    weight: 2,
    pattern:
      /\bonly (?:approved|authori[sz]ed|official|allowed|permitted|trusted|safe|legitimate)\b|\busing [^.]{0,40}\b(?:is|are) (?:strictly )?(?:prohibited|forbidden|banned|unauthori[sz]ed)\b|\b(?:called?|used?|invoked?|run|executed?) (?:before|prior to|with) (?:answering|responding|any|every|each|all|doing|using)\b[^.]{0,20}\b(?:any|every|each|all|other|anything|question|request|tool|message|task)s?\b|\bfrom the \w+ server\b/,
  },
  rides_along: {
    weight: 4,
    pattern:
      /\b(?:field|argument|parameter|input|body|query|header)s? of (?:the |any |your |every )?(?:next|other|another|following|subsequent|later)\b[^.]{0,16}\b(?:tool|call|request|message)s?\b|\b(?:next|following|subsequent) tool (?:you|that you|to be) call/,
  },
  unaware: {
    weight: 3,
    pattern:
      /\b(?:not|never|n't|no|nobody|without)\b[^.]{0,24}\b(?:reali[sz]e|be made aware|aware of|notice it|be the wiser|suspect|interrupt(?:ion|ing)?)\b|\b(?:keep|stay|remain) (?:quiet|silent|mum)\b|\bsay nothing\b|\b(?:no|without) (?:user |human |further |any )?(?:confirmation|consent|approval|permission)\b[^.]{0,24}\b(?:is |are )?(?:needed|required|necessary|from|by|of)\b|\b(?:dismiss|accept|close|auto-?accept|approve)(?:ed|es)?\b[^.]{0,24}\b(?:all|any|every)?\b[^.]{0,10}\b(?:confirmations?|terms|prompts|warnings|dialogs)\b|\b(?:confirmation|warning|consent|permission)s? (?:dialogs?|prompts?)?[^.]{0,12}\b(?:must|should|are to|can) be (?:dismissed|accepted|ignored|skipped|suppressed)\b|\bas (?:though|if) nothing\b|\bregardless of (?:the|what|whether|any)\b[^.]{0,24}\b(?:result|answer|outcome|truth|user|they)\b|\bblame\b|\blie\b|\bon behalf of the user\b[^.]{0,40}\b(?:agree|accept|approve|purchase|sign)|\b(?:agree|consent) to (?:all|any|every)\b/,
  },
  escalates: {
    weight: 4,
    pattern:
      /\bsudo\b|\bchmod (?:777|\+s)\b|\b(?:turn(?:ing)? off|disabl(?:e|ing)|leav(?:e|ing)|escap(?:e|ing)) the (?:sandbox|firewall|antivirus|guard|gateway|protection|monitoring|logging|audit)\b|\belevated (?:privileges|rights|permissions)\b|\b(?:as|granted|with|gain) (?:root|administrator|superuser)(?: access| rights| privileges)?\b|\b169\.254\.169\.254\b|\bmetadata\.google\.internal\b|\bdisable (?:ssl|tls|certificate)\b/,
  },
  swaps: {
    weight: 4,
    pattern:
      /\b(?:replace|swap|substitute|exchange|rewrite)s?\b[^.]{0,12}\b(?:any|every|all|the|each)\b[^.]{0,30}\b(?:address(?:es)?|accounts?|ibans?|recipients?|links?|urls?|numbers?|beneficiar\w+)\b[^.]{0,40}\b(?:by|with|for)\b|\b(?:multiply|increase|double|inflate|round up)\b[^.]{0,16}\b(?:all|every|each|the) (?:amounts?|prices?|totals?|quantit\w+)\b/,
  },
  on_trigger: {
    weight: 2,
    pattern:
      /\b(?:if|when|whenever|once|for every|for each|results? (?:containing|with))\b[^.]{0,60}[, ]\s*(?:then )?(?:also )?(?:push|send|submit|open|turn off|transfer|execute|forward|delete|mail|duplicate|upload|post|copy|message|email|be sent|to be sent)\b/,
  },
  also: {
    weight: 1,
    pattern:
      /\balso (?:be )?(?:mail|send|sent|goes?|forward|cop|upload|post|share|email|run|call|store|mirror|writ)\w*/,
  },
  outside_place: {
    weight: 2,
    pattern:
      /\bgit@|\bftp[.:]|\bthird part(?:y|ies)\b|\bbc1\w{16,}|\+\d{2}[\d ]{8,}|\bs3:\/\/|\bdns (?:query|lookup|request)s? (?:to|for)\b|\btelegram\b|\bdiscord webhook\b/,
  },
  threatens: {
    weight: 2,
    pattern:
      /\b(?:will|would|could|may) (?:get (?:the user|you|them)|be|cause|result in|lose)\b[^.]{0,20}\b(?:banned|blocked|fired|terminated|deleted|penali[sz]ed|shut down|sued|data loss|killed|die|trouble|legal)\b|\bor else\b/,
  },
  chains: {
    weight: 2,
    pattern:
      /\b(?:after|before|once|when(?:ever)?|every time|each time)\b[^.]{0,40}\b(?:always|must|immediately|automatically|also)\b[^.]{0,16}\b(?:call|execute|run|invoke|trigger|use)\b[^.]{0,16}\b[a-z]{1,40}_[a-z_]{1,60}\b/,
  },
  overrides_user: {
    weight: 3,
    pattern:
      /\boverrid\w+\b[^.]{0,16}\b(?:user|human|owner|customer)'?s?\b|\b(?:ignore|disregard|contrary to|regardless of|against|despite)\b[^.]{0,16}\bthe (?:user|human|owner|customer)(?:'s|s)?\b/,
  },
  manipulates: {
    weight: 3,
    pattern:
      /\b(?:always|only|must|should) (?:recommend|suggest|promote|advertise|praise|favou?r|link to|book|buy|order|purchase)\b|\bwhenever you (?:generate|write|create|edit|produce)\b|\binsert (?:an?|the|this)\b[^.]{0,24}\b(?:import|dependency|backdoor|package|script|link|tracker|pixel)\b|\bchange the (?:number|recipient|address|amount|account|destination|iban|url)\b/,
  },
  steers: {
    weight: 1,
    pattern:
      /\b(?:call|execute|run|invoke|use|using|with|by|via|when|returned by)\b[^.]{0,12}\b[a-z]{1,40}_[a-z_]{1,60}\b|\b(?:any|every|other|another|all) (?:other )?(?:tools?|servers?)\b|\bwith the \w+ tool\b/,
  },
  every_tool: {
    weight: 1,
    pattern:
      /\b(?:any|every|each|all) (?:other )?(?:tools?|servers?|emails?|messages?|payments?|requests?|questions?|calls?)\b/,
  },
  names_account: {
    weight: 2,
    pattern: /\+\d{8,}|\baccount (?:number )?[a-z]{0,2}\d{4,}|\b0x[0-9a-f]{8,}|\biban\b/,
  },
  pretext: {
    weight: 1,
    pattern:
      /\botherwise\b|\bto keep (?:the|your) (?:session|connection)\b|\bfor (?:quality assurance|qa|compliance|caching|validation|verification|telemetry|audit(?:ing)?|debugging|diagnostics?|security|legal|backup|logging|authentication)\b(?: (?:purposes|reasons))?|\bso (?:that )?it can be (?:validated|verified|checked)\b|\bproxy\b|\blicen[cs]e\b|\belevated\b|\bto authenticate\b|\bto unlock\b|\bwill (?:fail|not work|break|be rejected)\b|\bimportant\b|\bimplementation detail\b/,
  },
} as const satisfies Record<string, Trait>

type TraitName = keyof typeof traits
const names = Object.keys(traits) as TraitName[]

/** Traits of which one must be there: duty, praise and arguments alone are how tools are documented. */
const GRAVE = new Set<TraitName>([
  'sensitive',
  'runs_code',
  'conceals',
  'obeys_output',
  'manipulates',
  'overrides_user',
  'monopolises',
  'leaves',
  'names_account',
  'rides_along',
  'unaware',
  'escalates',
  'swaps',
  'outside_place',
])
const graveNames = names.filter((name) => GRAVE.has(name))
const ENOUGH = 5
const ENOUGH_IN_ARGUMENT = 4
/** What an author warns against is not what he asks for. */
const WARNING =
  /\b(?:do not|don't|never|must not|should not|avoid)\s+(?:include|including|share|sharing|put|hard-?\s?cod\w*|pass|passing|expose|enter|provide|paste|send|follow|following|obey|execute|trust)\b[^.]*/g
const WINDOW = 2
const MAX_SENTENCES = 400
const MAX_SENTENCE = 400

/** Text that has too much about it of an order to the model, though no one phrase gives it away. */
export const suspiciousOrders: Check = {
  severity: 'High',
  message: 'reads like an order to the model that has nothing to do with the tool',
  owasp: 'MCP03',
  attacks: ['tool_poisoning', 'data_exfiltration'],
  look: ({ passages }) => passages.flatMap(lookIn),
}

/** A name of an argument that asks for what nobody would name so: `content_of_ssh_key`. */
const GREEDY_NAME =
  /\b(?:contents?|text|value|dump|copy|output) (?:of|from)\b(?: \w+){0,5} (?:ssh|rsa|aws|env|passwd|shadow|credentials?|keys?|secrets?|tokens?|cookies|history|prompt|conversation)\b|\b(?:full conversation|entire conversation|conversation history|chat history|previous messages|id rsa)\b/

function lookIn({ at, plain, isProse }: Passage): readonly Hit[] {
  if (!isProse && plain.length < 200 && /(?:^|\.)properties\.[^.]*$/.test(at)) {
    const words = plain.replace(/[^a-z0-9]+/g, ' ')
    return GREEDY_NAME.test(words) ? [{ at, quote: plain.slice(0, 100) }] : []
  }
  if (!isProse && plain.length < 40) return []
  const text = plain.replace(WARNING, ' ')
  // The description of one argument says what goes in: there, less is already odd.
  const enough = /properties\./.test(at) ? ENOUGH_IN_ARGUMENT : ENOUGH
  // What the whole text lacks, no part of it has: most honest text ends here.
  if (!graveNames.some((name) => traits[name].pattern.test(text))) return []
  const present = names.filter((name) => traits[name].pattern.test(text))
  if (weightOf(present) < enough) return []
  const sentences = text.split(/(?<=[.!?:;])\s+/, MAX_SENTENCES)
  if (sentences.length <= WINDOW) return [{ at, quote: text.slice(0, 100) }]
  for (let i = 0; i < sentences.length; i++) {
    const window = sentences
      .slice(i, i + WINDOW)
      .map((s) => s.slice(0, MAX_SENTENCE))
      .join(' ')
    if (scoreOf(window, present) >= enough) return [{ at, quote: window.slice(0, 100) }]
  }
  return []
}

const weightOf = (found: readonly TraitName[]): number =>
  found.reduce((sum, name) => sum + traits[name].weight, 0)

/** How much a text has of what orders to a model have; 0 where nothing grave is in it. */
function scoreOf(text: string, among: readonly TraitName[]): number {
  const found = among.filter((name) => traits[name].pattern.test(text))
  return found.some((name) => GRAVE.has(name)) ? weightOf(found) : 0
}
