import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const NONCE = 12
const TAG = 16

/** Text that this installation can give away and know again: encrypted and authenticated. */
export interface Seal {
  seal(text: string): string
  /** The text that was sealed; undefined for anything that this seal did not make, to the character. */
  open(sealed: string): string | undefined
}

/** A seal for one purpose: what another purpose sealed does not open here. */
export function createSeal(secret: Uint8Array, purpose: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `sallyport ${purpose}`, 32))
  return {
    seal(text) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG })
      const body = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
      return Buffer.concat(body).toString('base64url')
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      // One text has one sealed form: Base64 has many spellings of the same bytes.
      if (bytes.length <= NONCE + TAG || bytes.toString('base64url') !== sealed) return undefined
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), {
          authTagLength: TAG,
        })
        decipher.setAuthTag(bytes.subarray(-TAG))
        const text = [decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()]
        return Buffer.concat(text).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}
