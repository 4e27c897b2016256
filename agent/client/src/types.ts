/** What the agent takes and gives. Bytes are base64 in the protocol and `Uint8Array` here. */

/** Which agent answered. */
export interface Status {
  agent: "yinxin-agent";
  version: string;
  api: 1;
}

/** A certificate in a token. */
export interface CertificateEntry {
  holder: string;
  organization: string | null;
  issuer: string;
  usage: "signing" | "encryption";
  serial: string;
  /** RFC 3339, UTC. */
  not_before: string;
  /** RFC 3339, UTC. */
  not_after: string;
  /** Whole days; negative after the end. */
  days_left: number;
  /** SM3 of the DER, in hexadecimal. */
  sm3: string;
  pem: string;
}

/** A token that is plugged in. */
export interface Token {
  serial: string;
  label: string;
  /** `null` where the token does not say: then there is an {@link error}. */
  user_pin_tries_left: number | null;
  signing_certificate: CertificateEntry | null;
  encryption_certificate: CertificateEntry | null;
  /** Earlier ones; what was encrypted to them still opens. */
  former_certificates: CertificateEntry[];
  /** Why it cannot be used: a code as of {@link AgentError}, such as `ukey-busy` or `ukey-unprepared`. */
  error?: string;
}

/** What a site wants answered. */
export interface LoginChallenge {
  /** What the holder logs in to; shown on the agent's page. At most 128 characters. */
  audience: string;
  /** Random bytes of the site's server, 32 to 128, used once. */
  nonce: Uint8Array;
}

/** The answer, for the site's server to verify. */
export interface Login {
  /** The JSON that was signed, after `LOGIN_PREFIX`. */
  statement: Uint8Array;
  /** DER `SM2Signature` with SM3, default identifier. */
  signature: Uint8Array;
  /** DER of the signing certificate. */
  certificate: Uint8Array;
}

/** A signature without a message around it. */
export interface RawSignature {
  /** DER `SM2Signature` over e = SM3(Z ‖ message). */
  signature: Uint8Array;
  /** DER of the signing certificate. */
  certificate: Uint8Array;
}

/** GM/T 0010 `SignedData`. */
export interface SignedMessage {
  cms: Uint8Array;
}

/** What `personalise` needs. */
export interface PersonaliseRequest {
  ticket: string;
  /** The operator's session with the platform. */
  session: string;
}

/** A personalised token. */
export interface Personalised {
  order: { id: string; number: string };
  token_serial: string;
  signing_certificate_sm3: string;
  encryption_certificate_sm3: string;
}

/** A request for renewed certificates with new keys. */
export interface CertificateRequest {
  token_serial: string;
  /** PKCS#10, PEM. */
  csr: string;
}

/** Renewed certificates, PEM, with the ticket that names them. */
export interface RenewedCertificates {
  ticket: string;
  signing_certificate: string;
  encryption_certificate: string;
  /** The issuing CA first, the root last. */
  chain: string[];
  /** For new keys: the new encryption key (GM/T 0009 `SM2EnvelopedKey`), base64 of its DER. */
  enveloped_key?: string;
}

/** What was written. */
export interface Written {
  token_serial: string;
  signing_certificate_sm3: string;
  encryption_certificate_sm3: string;
}

/** What the platform seals an admin PIN to. */
export interface UnblockKey {
  tokenSerial: string;
  /** `SubjectPublicKeyInfo`, DER. */
  publicKey: Uint8Array;
}
