/** Bytes as base64, and back. */

/** Few enough for one call of `String.fromCharCode`. */
const CHUNK_BYTES = 0x2000;

/** Bytes, or text as UTF-8, to base64. */
export function toBase64(content: Uint8Array | string): string {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK_BYTES));
  }
  return btoa(text);
}

/** Base64 to bytes. Throws where the text is no base64. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
