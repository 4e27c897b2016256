// Just enough DER to put the content into a signed message that came without it.

/** The elements that stand one after the other in some bytes: tag, content, and the whole. */
function elements(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const short = bytes[at + 1];
    const more = short < 0x80 ? 0 : short & 0x7f;
    const length = more === 0 ? short : bytes.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    found.push({ tag: bytes[at], content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) });
    at = start + length;
  }
  return found;
}

function element(tag, ...parts) {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = Buffer.from(content.length.toString(16).padStart(4, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x82]), length, content]);
}

/** `SignedData` without its content, with it. */
export function attach(message, content) {
  const [{ content: info }] = elements(Buffer.from(message));
  const [type, { content: explicit }] = elements(info);
  const [{ content: signedData }] = elements(explicit);
  const [version, digests, { content: encapsulated }, ...rest] = elements(signedData);
  const [contentType, ...more] = elements(encapsulated);
  if (more.length > 0) throw new Error("the message has content");
  const filled = element(0x30, contentType.whole, element(0xa0, element(0x04, content)));
  const parts = [version.whole, digests.whole, filled, ...rest.map(({ whole }) => whole)];
  return element(0x30, type.whole, element(0xa0, element(0x30, ...parts)));
}
