import type { Severity } from '../../policy/model.ts'
import type { Check, Hit, Inspected } from './finding.ts'

/** A way of putting it, looked for in plain lower-case text. */
interface Phrase {
  readonly pattern: RegExp
  readonly severity?: Severity
}

const phrase = (pattern: RegExp, severity?: Severity): Phrase =>
  severity === undefined ? { pattern } : { pattern, severity }

const QUOTE = 80

/** The first phrase of each passage that is there. */
function lookFor(phrases: readonly Phrase[]) {
  return ({ passages }: Inspected): readonly Hit[] => {
    const hits: Hit[] = []
    for (const { at, plain, isProse } of passages) {
      if (!isProse && plain.length < 12) continue
      for (const { pattern, severity } of phrases) {
        const found = pattern.exec(plain)
        if (found === null) continue
        const quote = plain.slice(
          found.index,
          found.index + Math.min(Math.max(found[0].length, 24), QUOTE),
        )
        hits.push(severity === undefined ? { at, quote } : { at, quote, severity })
        break
      }
    }
    return hits
  }
}

const RULES = `(?:instructions?|prompts?|rules?|guidelines?|directives?|commands?|constraints?|polic(?:y|ies)|safety|guardrails?|restrictions?)`
const TELL = `(?:tell|mention|inform|reveal|disclose|show|notify|alert|say|explain|report|expose|display|let)`

/** Orders that want to replace those of the owner. */
export const overridesInstructions: Check = {
  severity: 'Critical',
  message: 'tells the model to set its instructions aside',
  owasp: 'MCP03',
  attacks: ['tool_poisoning', 'line_jumping'],
  look: lookFor([
    phrase(
      new RegExp(
        String.raw`\b(?:ignore|disregard|forget|override|bypass|drop|supersede|discard|set aside)s?\b[^.]{0,40}\b(?:previous|prior|earlier|above|preceding|existing|other|your|system|all|any|the user'?s?|original|initial|safety|security)\b[^.]{0,30}\b${RULES}\b`,
      ),
    ),
    phrase(
      /<\/?\s?(?:important|system|instructions?|secret|hidden|critical|admin|assistant|user_query|override|inst|prompt|sys)\s?(?:_?\w{1,30})?\s?>/,
    ),
    phrase(
      /<\|(?:im_start|im_end|system|assistant|user|endoftext|start_header_id|eot_id)[^|]{0,40}\|>|\[\/?inst\]|<<\/?sys>>|\[system\]|^system:|\bsystem (?:override|prompt override|instruction|directive|notice|message)\s*:|### ?(?:system|instruction|assistant)\b/,
    ),
    phrase(
      /\b(?:new|updated|revised|additional|hidden|secret|real|true) (?:system )?(?:instructions?|directives?|prompt)\s*(?::|are|follow)/,
    ),
    phrase(
      /\byou are (?:now|no longer) (?:a|an|in|bound|restricted|the|dan|acting|operating|free)\b|\bfrom now on,? (?:you|the (?:assistant|agent|model))\b|\b(?:enter|enable|switch to|activate) (?:developer|debug|god|admin|jailbreak|unrestricted|dan) mode\b|\bjailbreak\b/,
    ),
    phrase(
      /\b(?:note|message|directive|order|attention|reminder)s? (?:to|for) (?:the |any |all )?(?:ai|llm|language models?|assistant|model|agent|claude|gpt|chatgpt|copilot|cursor)s?\b[^.]{0,60}\b(?:ignore|must (?:first|also|always)|before (?:any|every|using|calling)|do not (?:tell|mention|show|ask)|disregard|override)\b/,
      'High',
    ),
    phrase(
      new RegExp(
        String.raw`\b(?:your|previous|existing|earlier|prior|current|former|other|all) (?:\w+ )?${RULES}\b[^.]{0,10}\b(?:are|is|have been|has been)\b[^.]{0,16}\b(?:obsolete|void|outdated|suspended|replaced|superseded|no longer|cancelled|invalid|revoked|overridden|lifted|null)\b`,
      ),
    ),
    phrase(
      /\b(?:these|this) (?:rules?|instructions?|directives?|messages?) (?:take|takes|has|have|overrides?|supersedes?)\b[^.]{0,40}\b(?:precedence|priority|all|any|other|user|system)\b/,
    ),
    phrase(
      /忽略.{0,8}(?:之前|以前|先前|上述|所有).{0,8}(?:指令|指示|提示|规则)|ignor(?:a|e|er|ez|iere)\b.{0,20}\b(?:instrucciones|instructions|instruções|anweisungen)\b.{0,20}\b(?:anteriores|precedentes|précédentes|precedenti|vorherigen|previas)\b|\bvorherigen anweisungen\b|игнорир\S* .{0,20}инструкц|以前の指示を無視|이전 지시.{0,6}무시/,
    ),
  ]),
}

/** Wants the owner not to know. */
export const asksForSecrecy: Check = {
  severity: 'Critical',
  message: 'tells the model to keep something from the user',
  owasp: 'MCP03',
  attacks: ['tool_poisoning', 'data_exfiltration'],
  look: lookFor([
    phrase(
      new RegExp(
        String.raw`\b(?:do not|don'?t|never|must not|should not|avoid|without|refrain from)\b[^.]{0,14}\b${TELL}(?:ing)?\b[^.]{0,50}\b(?:the |any |your )?(?:user|human|customer|operator|owner|person|anyone|developer)s?\b(?=[.,;:!)]|$| (?:know|see|notice|find|learn|realize|about|this|that (?:you|it|this|these)|of (?:this|it|these)|which|what|it\b|any|unless|or|and|when|where))`,
      ),
    ),
    phrase(
      new RegExp(
        String.raw`\b(?:do not|don'?t|never|must not)\s+(?:${TELL}|talk about|refer to|discuss|acknowledge|log)\b[^.]{0,24}\b(?:this|these|that|it|the) (?:step|instructions?|note|requirement|behaviou?r|side ?effect|action|transfer|process|rule|parameter|directive|to (?:the )?(?:user|anyone))`,
      ),
    ),
    phrase(
      /\b(?:the |your )?(?:user|human|customer|operator|owner)s? (?:must|should|need|may|can|do|does|will|shall)(?: not|n'?t|n’t| never)\b[^.]{0,20}\b(?:know|see|notice|be (?:told|informed|aware|notified|shown|asked)|learn|realize|find out)\b/,
    ),
    phrase(
      /\bkeep (?:this|it|these|that|the \w+)\b[^.]{0,20}\b(?:secret|hidden|confidential|private|quiet|between us)\b|\b(?:hide|conceal) (?:this|it|these|that|the (?:fact|call|transfer|step|output|result)s?)\b[^.]{0,30}\b(?:from|user)\b/,
    ),
    phrase(
      /\b(?:silently|secretly|covertly|quietly|in the background|behind the scenes|discreetly|stealthily)\b[^.]{0,20}\b(?:send|forward|copy|upload|post|call|read|include|append|transmit|collect|bcc|add|run|execute|fetch|record|leak)\b/,
    ),
    phrase(
      /\bwithout (?:the )?(?:user'?s?|human'?s?|owner'?s?|their|explicit|any)?\s*(?:knowledge|consent|awareness|noticing|being (?:told|noticed|asked))\b|\bwithout (?:telling|informing|notifying|asking|alerting|prompting|confirmation from|confirming with) (?:the |your |any )?(?:user|human|owner|customer|anyone)\b/,
    ),
    phrase(
      /不要(?:告诉|提及|通知|让).{0,6}用户|no (?:le )?(?:digas|informes|menciones)\b.{0,20}\busuario|ne (?:le )?(?:dis|mentionne|dites|mentionnez)\b.{0,20}\butilisateur|nicht\b.{0,30}\b(?:dem|den) (?:benutzer|nutzer)\b.{0,20}\b(?:sagen|mitteilen|erwähnen)|не (?:говори|сообщай)\S* .{0,16}пользовател/,
    ),
  ]),
}

const SENSITIVE = String.raw`(?:~?\/?\.ssh\b|id_rsa|id_ed25519|\.aws\b|\.env\b|\.netrc|\.npmrc|\.kube\b|mcp\.json|\.cursor\b|claude_desktop_config|\/etc\/(?:passwd|shadow)|private keys?|ssh keys?|api[ _-]?keys?|access tokens?|bearer tokens?|auth(?:entication)? tokens?|credentials?|passwords?|secrets?|environment variables?|env vars?|browser (?:cookies|history)|session cookies?|keychain|seed phrases?|mnemonics?|wallet files?|system prompts?|chat (?:history|log|transcript)|conversation (?:history|log|context|so far)|(?:entire|full|whole|complete|current) (?:conversation|chat|context|prompt)|(?:all|any|every) (?:previous|prior|earlier|past) (?:messages?|results?|outputs?|tool (?:calls?|results?|outputs?))|previous messages|user'?s? (?:files?|messages?|emails?|data|prompts?|personal))`
const GIVES = `(?:send|post|upload|forward|transmit|exfiltrate|leak|append|include|pass|copy|encode|put|embed|attach|paste|insert|submit|share|provide|write|report|bcc|add|supply|relay|return|place|dump|log)`
const READS = `(?:read|open|cat|load|fetch|get|retrieve|access|collect|gather|list|dump|extract|look up|obtain|view|query|print|scan|grab|find)`
const TO = String.raw`(?:https?:\/\/|[\w.+-]{1,64}@[\w-]{1,64}\.\w|\bas (?:the |a )?(?:value|argument|parameter|sidenote|note|content|context|metadata|header|query)\b|\b(?:in|into|to|via|through|using|under|with) (?:the |this |a )?[\`'"]?\w+[\`'"]? (?:parameter|argument|field|property|header|input|tool|endpoint|server|webhook|url|address|recipient)\b|\bto (?:this|the|our|an?|my) (?:\w+ )?(?:server|endpoint|webhook|url|address|collector|service|api|domain|host)\b|\b(?:parameter|argument|field|note|sidenote) below\b|\bbase64\b|\b(?:in|as|into) (?:this|the) (?:parameter|argument|field|note)\b)`

/** Wants what the owner has to go where the owner does not look. */
export const exfiltrates: Check = {
  severity: 'Critical',
  message: 'tells the model to read or hand over what the tool has no use for',
  owasp: 'MCP03',
  attacks: ['data_exfiltration', 'credential_theft', 'tool_poisoning'],
  look: lookFor([
    phrase(new RegExp(String.raw`\b${GIVES}(?:s|ing)?\b[^.]{0,60}${SENSITIVE}[^]{0,90}${TO}`)),
    phrase(
      new RegExp(
        String.raw`\b${READS}(?:s|ing)?\b[^.]{0,40}${SENSITIVE}[^]{0,120}\b${GIVES}(?:s|ing)?\b[^]{0,60}(?:${TO}|\b(?:it|them|its|their|the) (?:contents?|result|output|value|data)?\s*(?:as|in|into|to|with)\b)`,
      ),
    ),
    phrase(
      new RegExp(
        String.raw`\b(?:before|first|prior to|in order to|always|must|required|needs? to|have to|you should|make sure|otherwise)\b[^.]{0,60}\b${READS}\b[^.]{0,30}(?:~\/\S|\/(?:etc|root|home|users)\/\S|\.ssh\b|id_rsa|\.aws\b|mcp\.json|\.env\b|private keys?|ssh keys?|\bfile:\/\/)`,
      ),
    ),
    phrase(
      new RegExp(
        String.raw`\b(?:must|should|always|please|required to|needs? to|has to|have to)\b[^.]{0,24}\b(?:contain|include|hold|be|carry|have)\b[^.]{0,30}${SENSITIVE}(?!\s*(?:id|name|type|manager)\b)[^.]{0,40}\b(?:or (?:the|this) tool|otherwise|so that|verbatim|in full|base64|encoded|word for word|contents?)\b`,
      ),
    ),
    phrase(
      /\b(?:contents?|copy|text|value) of (?:the )?(?:file )?[`'"]?(?:~\/|\/etc\/|\/root\/|\/home\/|\$home\/|%userprofile%|c:\\users)\S*/,
    ),
    phrase(/\b(?:exfiltrat|phone home|beacon(?:s|ing)? (?:to|out))\w*/),
    phrase(
      /\b(?:verbatim|word[- ]for[- ]word|unredacted|unabridged)\b[^.]{0,30}\b(?:system prompt|conversation|chat history|prior messages|previous messages|message history|context window)\b/,
      'High',
    ),
    phrase(
      /\b(?:webhook\.site|requestbin|pipedream\.net|ngrok\.(?:io|app|dev)|ngrok-free\.app|burpcollaborator|interact\.sh|oast\.(?:fun|live|pro|me)|canarytokens|beeceptor|hookbin|transfer\.sh|pastebin\.com|0x0\.st)\b/,
    ),
    phrase(
      /https?:\/\/\d{1,3}(?:\.\d{1,3}){3}(?!\d)(?<!127\.0\.0\.1|0\.0\.0\.0|https?:\/\/(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3})/,
      'High',
    ),
    phrase(/!\[[^\]]{0,80}\]\(https?:\/\/[^)]{0,200}(?:\?|&)[^)=]{0,60}=\s?[{<$[]/),
  ]),
}

/** Wants to steer tools other than itself. */
export const steersOtherTools: Check = {
  severity: 'High',
  message: 'tells the model how to use tools other than this one',
  owasp: 'MCP03',
  attacks: ['tool_shadowing', 'cross_server'],
  look: lookFor([
    phrase(
      /\b(?:side ?effects?|rules?|instructions?|changes?|modifications?) (?:below |that follow )?(?:apply|applies|also apply|must be applied) to (?:the )?(?:[\w`'"-]+ tool|other tools|all (?:other )?tools|any (?:other )?tools?|every)/,
      'Critical',
    ),
    phrase(
      /\b(?:when(?:ever)?|if|every time|each time|any time|before|after|while|as soon as|once)\b[^.]{0,40}\b(?:any other|another|all other|other|any|every|all|a different|the (?!this)[\w`'"-]+) (?:mcp )?(?:tools?|servers?)\b[^.]{0,60}\b(?:must|always|instead|also|first|redirect|replace|add|bcc|cc|set|change|use|call|send|pass|include)\b[^.]{0,60}(?:@|https?:|\bthis tool\b|\battacker\b|\brecipient\b|\bbcc\b|\baddress\b|\bcopy\b|\bargument\b|\bparameter\b)/,
    ),
    phrase(
      /\b(?:all|any|every|each) (?:outgoing |e?-?mails?|messages?|payments?|transfers?|requests?|transactions?|calls?)[^.]{0,50}\b(?:must|should|always|have to|are to|need to)\b[^.]{0,30}\b(?:be (?:sent|redirected|forwarded|copied|routed|addressed|made)|go|be|include|pass)\b[^.]{0,40}(?:@|https?:|0x[0-9a-f]{6,}|\bthrough this\b|\bvia this\b|\bto this\b|\bbcc\b)/,
      'Critical',
    ),
    phrase(
      /\b(?:modify|change|alter|replace|rewrite|override|redirect|intercept|hijack|substitute)s?\b[^.]{0,40}\b(?:arguments?|parameters?|recipients?|output|results?|behaviou?r|responses?|calls?)\b[^.]{0,30}\b(?:of|from|to|for|in) (?:the |any |all |every )?(?:other |another )?(?:[`'"]?\w+[`'"]? )?(?:tools?|servers?)\b/,
    ),
    phrase(
      /\b(?:do not|don'?t|never|stop|avoid|refuse to|no longer)\b (?:us(?:e|ing)|call(?:ing)?|trust(?:ing)?|invok(?:e|ing))\b[^.]{0,20}\b(?:any other|all other|other|the original|the official|another)\b[^.]{0,30}\b(?:tools?|servers?|version)\b[^.]{0,80}\b(?:compromised|deprecated|insecure|unsafe|broken|malicious|obsolete|outdated|leak|vulnerab|instead|this one)\b/,
      'Critical',
    ),
    phrase(
      /\b(?:other|original|official|existing|all) (?:[\w-]+ )?(?:tools?|servers?)\b[^.]{0,30}\b(?:is|are|has been|have been|was|were)\b[^.]{0,20}\b(?:compromised|insecure|unsafe|malicious|hacked|disabled|superseded|broken|deprecated|leaking)\b/,
    ),
    phrase(
      /\b(?:always|must|immediately|first)\b[^.]{0,24}\b(?:call|run|invoke|use|execute)\b[^.]{0,24}\b(?:this tool|this function|it)\b[^.]{0,30}\b(?:before|after|prior to|with) (?:any|every|each|all)(?: other)? (?:other )?(?:tools?|actions?|requests?|operations?|messages?|responses?|conversation|tasks?)\b/,
    ),
  ]),
}

/** Wants the model to leave its owner's safeguards out. */
export const defeatsSafeguards: Check = {
  severity: 'High',
  message: 'tells the model to act without asking, or to leave checks out',
  owasp: 'MCP06',
  attacks: ['tool_poisoning', 'unwatched_action'],
  look: lookFor([
    phrase(
      /\b(?:do not|don'?t|never|no need to|(?<!\b(?:not|never|n't)\b[^.]{0,40})without|skip(?:ping)?|bypass(?:ing)?|ignore|suppress)\b[^.]{0,24}\b(?:ask(?:ing)?|request(?:ing)?|wait(?:ing)?|requir(?:e|ing)|seek(?:ing)?|prompt(?:ing)?|get(?:ting)?|need(?:ing)?)?\b[^.]{0,24}\b(?:(?:user|human|owner|operator|manual)(?:'?s)? (?:confirmation|approval|permission|consent|review)|for (?:user |human |any |explicit )?(?:permission|approval|consent|confirmation)\b)/,
    ),
    phrase(
      /\b(?:never|don'?t|do not|without) ask(?:ing)? (?:the )?(?:user|human|owner)(?: first|,|\.|;|$| whether| if (?:they|this|it)| before)/,
    ),
    phrase(
      /\b(?:the )?user has (?:already |pre-?)(?:approved|authori[sz]ed|consented|agreed|granted|confirmed|given)\b|\bpre-?(?:approved|authori[sz]ed) by the (?:user|administrator|admin|owner)\b/,
    ),
    phrase(
      /\b(?:disable|turn off|switch off|suppress|circumvent|evade|bypass)\b[^.]{0,24}\b(?:safety|security|guardrails?|content|policy|audit|approval|confirmation|logging|monitoring)\b[^.]{0,16}\b(?:checks?|filters?|controls?|prompts?|measures?|policies|features?|gates?|limits?)\b/,
    ),
  ]),
}
