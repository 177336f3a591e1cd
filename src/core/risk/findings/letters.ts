/** Letters of other alphabets that look like Latin ones, and the Latin ones, in pairs. */
const pairs =
  'аaеeоoрpсcуyхxіiјjѕsԁdһhӏlԛqԝwɡgαaοoρpνvκkιiτtεeυuχxβbɑaօoոnսuցgһhкkмmтtнhвbгrьbАAВBЕEКKМMНHОOРPСCТTХXІIЈJЅSΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXıi'
const latin = new Map<string, string>()
for (let i = 0, all = [...pairs]; i + 1 < all.length; i += 2)
  latin.set(all[i] ?? '', all[i + 1] ?? '')

const MARKS = /\p{Cf}|\p{Mn}|\p{Me}/gu

/** The text in plain letters: one form of Unicode, look-alikes as what they look like, no marks. */
export function foldLetters(text: string): string {
  let out = ''
  for (const letter of text.normalize('NFKD').replace(MARKS, '')) out += latin.get(letter) ?? letter
  return out
}

/** What a name looks like at a glance: folded, without separators, `0` and `1` as the letters. */
export const skeletonOf = (name: string): string =>
  foldLetters(name)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replaceAll('0', 'o')
    .replaceAll(/[1|i]/g, 'l')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')

/** True where a word mixes Latin letters with look-alikes of another alphabet. */
export const isMixed = (word: string): boolean => {
  let hasLatin = false
  let hasOther = false
  for (const letter of word) {
    if (latin.has(letter)) hasOther = true
    else if (/[A-Za-z]/.test(letter)) hasLatin = true
  }
  return hasLatin && hasOther
}
