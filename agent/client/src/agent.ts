/** Finds the agent, asks the holder to approve the site, and calls. */
import { fromBase64, toBase64 } from "./base64.js";
import { AgentError } from "./error.js";
import type {
  CertificateRequest, Login, LoginChallenge, PersonaliseRequest, Personalised, RawSignature, RenewedCertificates, SignedMessage,
  Status, Token, UnblockKey, Written,
} from "./types.js";

/** The ports that the agent takes, the first free one. */
const FIRST_PORT = 17816;
const PORTS = 10;
/** Name under which port and token are kept. */
const KEPT = "yinxin-agent";

/** Where a site keeps its token: `localStorage`, or anything like it. */
export type Keeper = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** How to connect. */
export interface Connection {
  /** Ports to look at; the known ten where left out. */
  ports?: readonly number[];
  /** Where to keep port and token; `localStorage` where left out. */
  keeper?: Keeper;
  /** In place of the global `fetch`, for tests. */
  fetch?: typeof fetch;
  /** Called before the agent's page asks the holder to approve the site: tell the user to look at it. */
  onPairing?: () => void;
  signal?: AbortSignal;
}

interface Kept {
  port: number;
  token: string;
}

/** A connection to an agent whose holder has approved this site. */
export class Agent {
  readonly #kept: Kept;
  readonly #fetch: typeof fetch;

  private constructor(kept: Kept, call: typeof fetch) {
    this.#kept = kept;
    this.#fetch = call;
  }

  /**
   * Finds the agent. Where the site is not approved (any more), the agent opens its page, and this waits for the holder, two
   * minutes at most. Throws {@link AgentError}: `no-agent`, `denied`, `timed-out`, `busy`, `too-often`.
   */
  static async connect(connection: Connection = {}): Promise<Agent> {
    const keeper = connection.keeper ?? localStorage;
    const call = connection.fetch ?? ((...request: Parameters<typeof fetch>) => fetch(...request));
    const known = read(keeper);
    if (known !== null) {
      const agent = new Agent(known, call);
      try {
        await agent.status(connection.signal);
        return agent;
      } catch (error) {
        // Revoked, expired, or on another port by now: all of that is mended by pairing.
        if (!(error instanceof AgentError)) throw error;
        if (!["no-agent", "unpaired", "origin"].includes(error.code)) throw error;
      }
    }
    connection.onPairing?.();
    const kept = await pair(connection, call);
    keeper.setItem(KEPT, JSON.stringify(kept));
    return new Agent(kept, call);
  }

  /** Forgets the token. The holder can revoke it on the agent's page; a site cannot. */
  static forget(keeper: Keeper = localStorage): void {
    keeper.removeItem(KEPT);
  }

  /** The port that the agent listens on. */
  get port(): number {
    return this.#kept.port;
  }

  /** Which agent this is. */
  async status(signal?: AbortSignal): Promise<Status> {
    return await this.#call<Status>("status", {}, signal);
  }

  /** The tokens that are plugged in, with their certificates. */
  async tokens(signal?: AbortSignal): Promise<Token[]> {
    return (await this.#call<{ tokens: Token[] }>("tokens", {}, signal)).tokens;
  }

  /** Lets the holder log in. Send the answer to the server that made the nonce; see `readLoginStatement`. */
  async login(challenge: LoginChallenge, signal?: AbortSignal): Promise<Login> {
    const { audience, nonce } = challenge;
    const answer = await this.#call<Record<keyof Login, string>>("login", { audience, nonce: toBase64(nonce) }, signal);
    return {
      statement: fromBase64(answer.statement),
      signature: fromBase64(answer.signature),
      certificate: fromBase64(answer.certificate),
    };
  }

  /** Signs a message that the agent shows to the holder; at most 4 MiB. */
  async sign(message: Uint8Array | string, signal?: AbortSignal): Promise<RawSignature> {
    return raw(await this.#call("sign", { message: toBase64(message), format: "raw" }, signal));
  }

  /** The same as GM/T 0010 `SignedData`, with the message in it or without. */
  async signCms(
    message: Uint8Array | string, content: "attached" | "detached", signal?: AbortSignal,
  ): Promise<SignedMessage> {
    return cms(await this.#call("sign", { message: toBase64(message), format: `cms-${content}` }, signal));
  }

  /** Signs the SM3 of a document (32 bytes, without Z). The agent warns the holder that it cannot show the document. */
  async signDigest(digest: Uint8Array, signal?: AbortSignal): Promise<RawSignature> {
    return raw(await this.#call("sign-digest", { digest: toBase64(digest), format: "raw" }, signal));
  }

  /** The same as detached GM/T 0010 `SignedData` of the document. */
  async signDigestCms(digest: Uint8Array, signal?: AbortSignal): Promise<SignedMessage> {
    return cms(await this.#call("sign-digest", { digest: toBase64(digest), format: "cms-detached" }, signal));
  }

  /** Decrypts a DER `SM2Cipher`, or GM/T 0010 `EnvelopedData`. */
  async decrypt(ciphertext: Uint8Array, format: "sm2" | "cms", signal?: AbortSignal): Promise<Uint8Array> {
    const answer = await this.#call<{ plaintext: string }>("decrypt", { ciphertext: toBase64(ciphertext), format }, signal);
    return fromBase64(answer.plaintext);
  }

  /** Opens the page on which the holder changes the PIN, and waits for it. */
  async changePin(signal?: AbortSignal): Promise<void> {
    await this.#call("change-pin", {}, signal);
  }

  /** Makes the key and writes the certificates of an order, with the platform's ticket. */
  async personalise(request: PersonaliseRequest, signal?: AbortSignal): Promise<Personalised> {
    return await this.#call<Personalised>("personalise", { ...request }, signal);
  }

  /** A key, good once and for ten minutes, to which the platform seals the admin PIN of the one UKey that is plugged in. */
  async unblockKey(signal?: AbortSignal): Promise<UnblockKey> {
    const answer = await this.#call<Record<"token_serial" | "public_key", string>>("unblock-key", {}, signal);
    return { tokenSerial: answer.token_serial, publicKey: fromBase64(answer.public_key) };
  }

  /**
   * Sets a new user PIN, with the platform's ticket and what the platform sealed to {@link unblockKey}. Without the latter the
   * agent's page asks for the admin PIN as well.
   */
  async unblock(ticket: string, authorisation?: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#call("unblock", { ticket, ...(authorisation === undefined ? {} : { authorisation: toBase64(authorisation) }) }, signal);
  }

  /** Makes new keys for renewed certificates, with the platform's ticket; the old ones stay. Again for the same order it answers the same. */
  async requestCertificates(ticket: string, signal?: AbortSignal): Promise<CertificateRequest> {
    return await this.#call<CertificateRequest>("request-certificates", { ticket }, signal);
  }

  /** Writes renewed certificates, with the platform's ticket. The same call with a new ticket goes on where one stopped. */
  async writeCertificates(renewed: RenewedCertificates, signal?: AbortSignal): Promise<Written> {
    return await this.#call<Written>("write-certificates", { ...renewed }, signal);
  }

  /** Writes a seal (DER), with the platform's ticket. */
  async writeSeal(ticket: string, seal: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#call("write-seal", { ticket, seal: toBase64(seal) }, signal);
  }

  async #call<T>(operation: string, body: object, signal: AbortSignal | undefined): Promise<T> {
    return await post<T>(this.#fetch, this.#kept.port, operation, body, this.#kept.token, signal);
  }
}

/** Asks on each port until an agent answers. Where none listens the browser says so at once. */
async function pair(connection: Connection, call: typeof fetch): Promise<Kept> {
  const ports = connection.ports ?? Array.from({ length: PORTS }, (_, index) => FIRST_PORT + index);
  for (const port of ports) {
    try {
      const { token } = await post<{ token: string }>(call, port, "pairing", {}, null, connection.signal);
      return { port, token };
    } catch (error) {
      // Another program on this port: what it says is not ours.
      const other = error instanceof AgentError && ["no-agent", "unintelligible"].includes(error.code);
      if (!other) throw error;
    }
  }
  throw AgentError.none();
}

async function post<T>(
  call: typeof fetch, port: number, operation: string, body: object, token: string | null, signal: AbortSignal | undefined,
): Promise<T> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (token !== null) headers["authorization"] = `Bearer ${token}`;
  let answer: Response;
  try {
    answer = await call(`http://127.0.0.1:${port}/v1/${operation}`, {
      method: "POST", headers, body: JSON.stringify(body), mode: "cors", credentials: "omit", cache: "no-store",
      redirect: "error", referrerPolicy: "no-referrer", ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw AgentError.none();
  }
  let value: unknown;
  try {
    value = await answer.json();
  } catch {
    throw AgentError.of(answer.status, null);
  }
  if (!answer.ok) throw AgentError.of(answer.status, value);
  return value as T;
}

function raw(answer: { signature: string; certificate: string }): RawSignature {
  return { signature: fromBase64(answer.signature), certificate: fromBase64(answer.certificate) };
}

function cms(answer: { cms: string }): SignedMessage {
  return { cms: fromBase64(answer.cms) };
}

function read(keeper: Keeper): Kept | null {
  try {
    const kept: unknown = JSON.parse(keeper.getItem(KEPT) ?? "null");
    if (typeof kept !== "object" || kept === null) return null;
    const { port, token } = kept as Record<string, unknown>;
    return typeof port === "number" && typeof token === "string" ? { port, token } : null;
  } catch {
    return null;
  }
}
