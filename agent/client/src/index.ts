/**
 * What a site calls the signer agent (证书助手) with. No dependencies.
 *
 * The agent listens on 127.0.0.1. The holder approves a site once, on the agent's own page, and types the PIN there for each
 * operation; a site never sees a PIN, and a call with one is refused.
 */
export { Agent } from "./agent.js";
export type { Connection, Keeper } from "./agent.js";
export { AgentError } from "./error.js";
export { fromBase64, toBase64 } from "./base64.js";
export { LOGIN_PREFIX, LoginError, readLoginStatement } from "./login.js";
export type { ExpectedLogin, LoginStatement } from "./login.js";
export type {
  CertificateEntry, CertificateRequest, Login, LoginChallenge, PersonaliseRequest, Personalised, RawSignature,
  RenewedCertificates, SignedMessage, Status, Token, Written,
} from "./types.js";
