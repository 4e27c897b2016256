// OpenSSL's command line: certificates for the asking sites, tickets, and the judgement of signatures. Another implementation of SM2
// than the agent's.
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const SM2 = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"];

/** A certificate for the asking sites, made anew; browsers of these tests are told to take any. */
export function siteCertificate(directory) {
  const [key, cert] = [join(directory, "site.key"), join(directory, "site.pem")];
  const names = "subjectAltName=DNS:site.example,DNS:*.example";
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=site.example", "-addext", names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key, cert };
}

/** Files for one call of OpenSSL. */
function files(directory, contents) {
  const stem = join(directory, `openssl-${randomBytes(6).toString("hex")}`);
  return Object.fromEntries(Object.entries(contents).map(([name, content]) => {
    const path = `${stem}.${name}`;
    writeFileSync(path, content);
    return [name, path];
  }));
}

/** Throws where the DER signature over SM3(Z ‖ message) is not that of the certificate's key. */
export async function verifySignature(directory, certificate, message, signature) {
  const at = files(directory, { certificate, message, signature });
  const key = `${at.certificate}.key`;
  await run("openssl", ["x509", "-in", at.certificate, "-inform", "DER", "-pubkey", "-noout", "-out", key]);
  await run("openssl", ["pkeyutl", "-verify", "-pubin", "-inkey", key, "-in", at.message, "-sigfile", at.signature, ...SM2]);
}

/** Throws where a certificate (DER) does not verify by the CAs of a file: issuing CA first, root last. Link by link, for OpenSSL takes the SM2
 * identity for the first one alone. */
export async function verifyChain(directory, certificate, chain) {
  const issuers = readFileSync(chain, "utf8").split(/(?<=-----END CERTIFICATE-----\n)/);
  const der = files(directory, { certificate }).certificate;
  const leaf = `${der}.pem`;
  await run("openssl", ["x509", "-in", der, "-inform", "DER", "-out", leaf]);
  const links = [leaf, ...issuers.map((issuer) => files(directory, { issuer }).issuer)];
  for (const [at, subject] of links.slice(0, -1).entries()) {
    await run("openssl", ["verify", "-partial_chain", "-vfyopt", "distid:1234567812345678", "-CAfile", links[at + 1], subject]);
  }
}

/** Encrypts for a certificate (a PEM file): a DER `SM2Cipher`. */
export async function encryptFor(directory, certificate, plaintext) {
  const at = files(directory, { plaintext });
  const key = `${at.plaintext}.key`;
  await run("openssl", ["x509", "-in", certificate, "-pubkey", "-noout", "-out", key]);
  const { stdout } = await run("openssl", ["pkeyutl", "-encrypt", "-pubin", "-inkey", key, "-in", at.plaintext], { encoding: "buffer" });
  return stdout;
}

/** SM3, in hexadecimal. */
export async function sm3(directory, content) {
  const at = files(directory, { content });
  const { stdout } = await run("openssl", ["dgst", "-sm3", "-r", at.content]);
  return stdout.split(" ")[0];
}

/** A ticket as docs/agent-security.md words it, signed with a key in a file. */
export async function ticket(directory, key, fields) {
  const payload = Buffer.from(JSON.stringify(fields));
  const at = files(directory, { payload: Buffer.concat([Buffer.from("YINXIN-TICKET-1\n"), payload]) });
  const { stdout } = await run("openssl", ["pkeyutl", "-sign", "-inkey", key, "-in", at.payload, ...SM2], { encoding: "buffer" });
  return `${payload.toString("base64url")}.${stdout.toString("base64url")}`;
}
