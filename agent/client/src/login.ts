/**
 * The server's side of a login, without the cryptography: a server in JavaScript brings an SM2 library along.
 *
 * ```ts
 * const statement = readLoginStatement(login.statement, { origin: "https://site.example", audience: "bidding", nonce, now: new Date() });
 * const signed = concat(LOGIN_PREFIX, login.statement);
 * const certificate = parseAndVerifyChain(login.certificate, trustedIssuers);   // usage digitalSignature, valid now, not revoked
 * if (!sm2VerifyWithSm3(certificate.publicKey, signed, login.signature, "1234567812345678")) throw new Error("signature");
 * ```
 *
 * Use the nonce up first, whatever comes of the rest. A server in Rust has all of it in `yinxin_agent::operations::login::verify`.
 */
import { fromBase64 } from "./base64.js";

/** What stands before the statement under the signature. */
export const LOGIN_PREFIX: Uint8Array = new TextEncoder().encode("YINXIN-LOGIN-1\n");

/** Oldest statement that is accepted, and how far clocks may differ. */
const MAX_AGE_MS = 5 * 60 * 1000;
const CLOCK_SKEW_MS = 2 * 60 * 1000;
const FIELDS = ["audience", "issued_at", "nonce", "origin", "purpose", "version"];

/** What a holder has signed. */
export interface LoginStatement {
  version: 1;
  purpose: "login";
  /** The site, as the browser named it. */
  origin: string;
  audience: string;
  /** Base64. */
  nonce: string;
  /** RFC 3339, UTC. */
  issued_at: string;
}

/** What a server expects. */
export interface ExpectedLogin {
  origin: string;
  audience: string;
  nonce: Uint8Array;
  now: Date;
}

/** Why a statement is refused. */
export class LoginError extends Error {
  readonly reason: "malformed" | "origin" | "audience" | "nonce" | "time";

  constructor(reason: LoginError["reason"]) {
    super(`the login statement is refused: ${reason}`);
    this.name = "LoginError";
    this.reason = reason;
  }
}

/** Reads a statement and judges everything about it but the signature and the certificate. Throws {@link LoginError}. */
export function readLoginStatement(statement: Uint8Array, expected: ExpectedLogin): LoginStatement {
  const said = parse(statement);
  if (said.origin !== expected.origin) throw new LoginError("origin");
  if (said.audience !== expected.audience) throw new LoginError("audience");
  if (!sameBytes(nonceOf(said), expected.nonce)) throw new LoginError("nonce");
  const age = expected.now.getTime() - Date.parse(said.issued_at);
  if (!(age <= MAX_AGE_MS && age >= -CLOCK_SKEW_MS)) throw new LoginError("time");
  return said;
}

function parse(statement: Uint8Array): LoginStatement {
  let said: unknown;
  try {
    said = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(statement));
  } catch {
    throw new LoginError("malformed");
  }
  if (typeof said !== "object" || said === null) throw new LoginError("malformed");
  const fields = said as Record<string, unknown>;
  const closed = Object.keys(fields).sort().join() === FIELDS.join();
  const texts = ["origin", "audience", "nonce", "issued_at"].every((name) => typeof fields[name] === "string");
  if (!closed || !texts || fields["version"] !== 1 || fields["purpose"] !== "login") throw new LoginError("malformed");
  return said as LoginStatement;
}

function nonceOf(said: LoginStatement): Uint8Array {
  try {
    return fromBase64(said.nonce);
  } catch {
    throw new LoginError("nonce");
  }
}

/** A nonce is no secret, so nothing is learnt from the time that this takes. At least 32 bytes: fewer are no challenge. */
function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length >= 32 && left.length === right.length && left.every((byte, index) => byte === right[index]);
}
