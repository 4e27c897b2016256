// A trading system's page and its user: the example page, clicked through in a browser, and what it gets judged by OpenSSL and by the agent's
// own offline verification. The tests are one visit: each goes on where the one before stopped.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";

import { LOGIN_PREFIX, fromBase64, readLoginStatement } from "../../dist/index.js";
import { CONTRACT, SITE, bench, test } from "./support/bench.js";
import { attach } from "./support/der.js";
import { encryptFor, sm3, verifyChain, verifySignature } from "./support/openssl.js";

const b = bench({ approve: false });
const AUDIENCE = "证书助手示例";
let page;

/** Presses a button of the example page, does what the agent's page wants, and gives the result that the example page shows. */
async function press(id, holder) {
  await page.locator(`#${id}`).click();
  if (holder !== undefined) {
    const window = await b.window();
    await holder(window);
    await window.close();
  }
  await page.waitForFunction(() => /^[{[]|^口令已/.test(document.getElementById("result").textContent));
  const shown = await page.locator("#result").textContent();
  return shown.startsWith("{") || shown.startsWith("[") ? JSON.parse(shown) : shown;
}

/** The holder reads the page, types the PIN and confirms. */
const confirm = (...expected) => async (window) => {
  const text = await window.locator("#view").innerText();
  for (const part of [SITE, b.agent.world.serial, ...expected]) assert.ok(text.includes(part), `${part} in ${text}`);
  await window.locator("input[name=pin]").fill(b.agent.world.pin);
  await window.getByRole("button", { name: "确定" }).click();
  await window.getByText("操作完成").waitFor();
};
const holderAndIssuer = () => [b.agent.world.holder, "Test Issuing CA", "剩余"];

/** What the agent says offline of a signed message. */
function verdict(message) {
  writeFileSync(b.agent.file("signed.p7"), message);
  return b.agent.verify("signed.p7").verdict;
}

async function judged(certificate, message, signature) {
  await verifyChain(b.agent.directory, certificate, b.agent.file("chain.pem"));
  await verifySignature(b.agent.directory, certificate, message, signature);
  await assert.rejects(verifySignature(b.agent.directory, certificate, Buffer.concat([message, Buffer.from("!")]), signature));
}

test("the user lets a site use the agent, on the agent's page, once", async () => {
  page = await b.open(`${SITE}/example/?port=${b.agent.port}`);
  const status = await press("connect", async (window) => {
    assert.equal(await window.title(), "证书助手 · Certificate agent");
    assert.equal(await window.locator("p.origin").textContent(), SITE);
    await window.getByRole("button", { name: "允许" }).click();
    await window.getByText("操作完成").waitFor();
  });
  assert.deepEqual([status.agent, status.api], ["yinxin-agent", 1]);
  assert.deepEqual(b.agent.log, [`${SITE} pairing done`]);
  const pages = b.agent.pages.length;
  await page.reload();
  assert.equal((await press("connect")).api, 1);
  assert.equal(b.agent.pages.length, pages, "known from then on");
});

test("the site reads which certificates there are", async () => {
  const [token] = await press("tokens");
  const { serial, tries, holder } = b.agent.world;
  assert.deepEqual([token.serial, token.user_pin_tries_left, token.signing_certificate.holder], [serial, tries, holder]);
  assert.equal(token.signing_certificate.pem, b.agent.read("sign.pem"));
  assert.equal(token.encryption_certificate.pem, b.agent.read("encrypt.pem"));
});

test("the user logs in, and a server that trusts the CA can verify it", async () => {
  const answer = await press("login", confirm("登录网站", AUDIENCE, ...holderAndIssuer()));
  const [nonce, statement, signature, certificate] = ["nonce", "statement", "signature", "certificate"].map((name) => fromBase64(answer[name]));
  const expected = { origin: SITE, audience: AUDIENCE, nonce, now: new Date() };
  assert.equal(readLoginStatement(statement, expected).origin, SITE);
  assert.throws(() => readLoginStatement(statement, { ...expected, origin: "https://evil.example" }), { reason: "origin" });
  await judged(certificate, Buffer.concat([LOGIN_PREFIX, statement]), signature);
});

test("a contract is shown and signed", async () => {
  const digest = await sm3(b.agent.directory, CONTRACT);
  const answer = await press("sign", confirm("签名", CONTRACT, digest, "原始签名", ...holderAndIssuer()));
  await judged(fromBase64(answer.certificate), Buffer.from(CONTRACT), fromBase64(answer.signature));
});

test("a contract is signed as a message with its content", async () => {
  const { cms } = await press("sign-attached", confirm("签名", CONTRACT, "签名消息（含原文）", ...holderAndIssuer()));
  assert.equal(verdict(fromBase64(cms)), "passed");
  assert.throws(() => attach(fromBase64(cms), Buffer.from(CONTRACT)), /has content/);
});

test("a contract is signed as a message without its content", async () => {
  const { cms } = await press("sign-detached", confirm("签名", CONTRACT, "签名消息（不含原文）", ...holderAndIssuer()));
  assert.equal(verdict(attach(fromBase64(cms), Buffer.from(CONTRACT))), "passed");
  assert.equal(verdict(attach(fromBase64(cms), Buffer.from("另一份合同"))), "failed");
});

test("an envelope is opened for the site", async () => {
  await page.locator("#ciphertext").fill(Buffer.from(b.agent.read("envelope.der", null)).toString("base64"));
  const { plaintext } = await press("decrypt", confirm("解密", "解密后的内容将交给该网站", "数字信封", ...holderAndIssuer()));
  assert.equal(plaintext, b.agent.world.secret);
});

test("what OpenSSL encrypted is decrypted for the site", async () => {
  const ciphertext = await encryptFor(b.agent.directory, b.agent.file("encrypt.pem"), "投标报价");
  await page.locator("#ciphertext").fill(ciphertext.toString("base64"));
  const { plaintext } = await press("decrypt-sm2", confirm("解密", "SM2", ...holderAndIssuer()));
  assert.equal(plaintext, "投标报价");
});

test("the user changes the PIN, and the new one counts", async () => {
  const changed = await press("change-pin", async (window) => {
    await window.locator("input[name=pin]").fill(b.agent.world.pin);
    for (const name of ["new", "again"]) await window.locator(`input[name=${name}]`).fill("new-pin-1");
    await window.getByRole("button", { name: "确定" }).click();
    await window.getByText("操作完成").waitFor();
  });
  assert.equal(changed, "口令已修改");
  await page.locator("#sign").click();
  const window = await b.window();
  await window.locator("input[name=pin]").fill(b.agent.world.pin);
  await window.getByRole("button", { name: "确定" }).click();
  await window.getByText("口令错误，还可尝试 5 次").waitFor();
  await window.locator("input[name=pin]").fill("new-pin-1");
  await window.getByRole("button", { name: "确定" }).click();
  await window.getByText("操作完成").waitFor();
});

test("the user sees sites and operations on the overview", async () => {
  const start = await b.open(`${b.agent.origin}/`);
  await start.getByRole("button", { name: "打开证书助手" }).click();
  const overview = await b.window();
  const text = await overview.locator("#view").innerText();
  for (const shown of [b.agent.world.holder, SITE, "登录网站", "修改口令", "解密", "剩余天数"]) assert.ok(text.includes(shown), shown);
});
