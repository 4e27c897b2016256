// Tickets, in the hands of a site's page: used twice, for something else, changed. Each of them is like the one that works, but for one thing.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { EVIL, OTHER, SITE, UNREADABLE, attack, attempt, bench, json } from "./support/bench.js";
import { sm3, ticket } from "./support/openssl.js";

const b = bench();
const SEAL = Buffer.from([0x30, 0x05, 0x04, 0x03, 0x65, 0x73, 0x32]);
const MINUTE_MS = 60_000;

const time = (from, minutes) => new Date(from + minutes * MINUTE_MS).toISOString().replace(/\.\d+Z$/, "Z");

/** A ticket of the platform for the seal, changed. */
async function permit(change = {}) {
  const now = Date.now();
  const fields = {
    version: 1, id: randomUUID().replaceAll("-", ""), operation: "write-seal", token: b.agent.world.serial, order: "20261123A48201937",
    origin: SITE, issued_at: time(now, 0), expires_at: time(now, 10), content: await sm3(b.agent.directory, SEAL), ...change,
  };
  return await ticket(b.agent.directory, b.agent.file("platform.key"), fields);
}

/** How writing a seal with a ticket ends, where nobody is asked for a PIN. */
async function write(permission, seal = SEAL) {
  return await b.site.evaluate(async ([given, bytes]) => {
    return await globalThis.agent.writeSeal(given, Uint8Array.from(bytes)).then(() => "done", (error) => error.code);
  }, [permission, [...seal]]);
}

/** Writes the seal with the holder's PIN. */
async function written(permission) {
  const writing = write(permission);
  const window = await b.window();
  await window.getByText("20261123A48201937").waitFor();
  await window.locator("input[name=pin]").fill(b.agent.world.pin);
  await window.getByRole("button", { name: "确定" }).click();
  await window.getByText("操作完成").waitFor();
  await window.close();
  return await writing;
}

attack(b, "a ticket is good once", async () => {
  const permission = await permit();
  assert.equal(await written(permission), "done");
  assert.equal(await write(permission), "ticket-used");
}, { log: [`${SITE} write-seal done`, `${SITE} write-seal ticket-used`], pages: 1 });

attack(b, "a ticket that the holder cancelled is used up", async () => {
  const permission = await permit();
  const writing = write(permission);
  const window = await b.window();
  await window.getByRole("button", { name: "取消" }).click();
  assert.equal(await writing, "denied");
  assert.equal(await write(permission), "ticket-used");
}, { log: [`${SITE} write-seal denied`, `${SITE} write-seal ticket-used`], pages: 1 });

for (const [what, change, code] of [
  ["another UKey", { token: "YX0000000000000000" }, "ticket-ukey"],
  ["another site", { origin: EVIL }, "ticket-origin"],
  ["another operation", { operation: "unblock" }, "ticket-operation"],
  ["another content", { content: "00".repeat(32) }, "ticket-content"],
  ["yesterday", () => ({ issued_at: time(Date.now(), -1450), expires_at: time(Date.now(), -1440) }), "ticket-expired"],
  ["tomorrow", () => ({ issued_at: time(Date.now(), 1440), expires_at: time(Date.now(), 1450) }), "ticket-expired"],
  ["a whole day", () => ({ expires_at: time(Date.now(), 1440) }), "ticket-expired"],
]) {
  attack(b, `a ticket for ${what} is refused`, async () => {
    assert.equal(await write(await permit(typeof change === "function" ? change() : change)), code);
  }, { log: [`${SITE} write-seal ${code}`] });
}

attack(b, "a ticket for one operation does not open another one", async () => {
  const permission = await permit();
  assert.equal(await b.begin("unblock", permission).ended, "ticket-operation");
}, { log: [`${SITE} unblock ticket-operation`] });

attack(b, "a changed ticket is refused", async () => {
  const [payload, signature] = (await permit()).split(".");
  const said = Buffer.from(payload, "base64url").toString();
  const forged = Buffer.from(said.replace("20261123A48201937", "20261123A48201938")).toString("base64url");
  assert.equal(await write(`${forged}.${signature}`), "ticket-signature");
}, { log: [`${SITE} write-seal ticket-signature`] });

attack(b, "a ticket is no good for another seal", async () => {
  const another = Buffer.from([0x30, 0x05, 0x04, 0x03, 0x65, 0x73, 0x33]);
  assert.equal(await write(await permit(), another), "ticket-content");
}, { log: [`${SITE} write-seal ticket-content`] });

attack(b, "a stolen ticket is no good to another site, approved or not", async () => {
  const permission = await permit();
  const body = { ticket: permission, seal: SEAL.toString("base64") };
  const stranger = await b.open(`${EVIL}/`);
  assert.deepEqual(await attempt(stranger, `${b.agent.origin}/v1/write-seal`, json(body, await b.token())), UNREADABLE);
  const other = await b.approved(OTHER);
  const answer = await attempt(other, `${b.agent.origin}/v1/write-seal`, json(body, await b.token(other)));
  assert.match(answer.text, /urn:yinxin:agent:ticket-origin/);
  // It was not used up by that.
  assert.equal(await written(permission), "done");
}, { approvals: true, log: [`${OTHER} pairing done`, `${OTHER} write-seal ticket-origin`, `${SITE} write-seal done`], pages: 2 });
