// The client against the agent itself: a program of this repository, on a free port, with a token in a file.
// YINXIN_AGENT names the program; without it these tests are skipped.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import { Agent, AgentError, LoginError, fromBase64, readLoginStatement, toBase64 } from "../dist/index.js";

const PROGRAM = process.env.YINXIN_AGENT;
const SITE = "https://site.example";
const PIN = "holder-1";

/** What a browser adds: the origin of the page. */
const fromSite = (origin) => (address, options) => fetch(address, { ...options, headers: { ...options.headers, origin } });

class Memory {
  #items = new Map();
  getItem(name) { return this.#items.get(name) ?? null; }
  setItem(name, value) { this.#items.set(name, value); }
  removeItem(name) { this.#items.delete(name); }
}

describe("the client and the agent", { skip: PROGRAM === undefined ? "YINXIN_AGENT is not set" : false }, () => {
  let directory, program, port, pages = 0;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "yinxin-client-"));
    writeFileSync(join(directory, "pins"), `${PIN}\nvendor-admin\n`, { mode: 0o600 });
    const options = { cwd: directory, encoding: "utf8" };
    const made = spawnSync(PROGRAM, ["token", "init", "--dir", "token", "--pin-file", "pins"], options);
    assert.equal(made.status, 0, made.stderr);
    const serve = ["serve", "--port", "0", "--dir", "token", "--state", "state", "--json", "--print-pages", "pages.txt"];
    program = spawn(PROGRAM, serve, { cwd: directory, stdio: ["ignore", "pipe", "inherit"] });
    const [first] = await program.stdout.take(1).toArray();
    port = JSON.parse(first).listening.port;
  });

  after(() => {
    program?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  /** The holder at the next page that the agent opens. */
  async function page() {
    let address;
    while (address === undefined) {
      try {
        address = readFileSync(join(directory, "pages.txt"), "utf8").split("\n").slice(0, -1)[pages];
      } catch { /* No page yet. */ }
      if (address === undefined) await wait(20);
    }
    pages += 1;
    const own = new URL(address).origin;
    const post = async (path, body, key) => {
      const headers = { "content-type": "application/json", origin: own, ...(key === undefined ? {} : { "yinxin-page": key }) };
      return (await fetch(own + path, { method: "POST", headers, body: JSON.stringify(body), mode: "same-origin" })).json();
    };
    const { key } = await post("/page/open", { code: new URL(address).hash.slice(1) });
    const { html } = await post("/page/view", {}, key);
    const [, form] = html.match(/data-form="([^"]+)"/);
    return { html, press: (action, entries = {}) => post(`/page/${action}`, { form, ...entries }, key) };
  }

  it("asks the holder once and is known from then on", async () => {
    const keeper = new Memory();
    let asked = 0;
    const connection = { ports: [port], keeper, fetch: fromSite(SITE), onPairing: () => { asked += 1; } };
    const connecting = Agent.connect(connection);
    const approval = await page();
    assert.match(approval.html, /https:\/\/site\.example/);
    await approval.press("approve");
    const agent = await connecting;
    assert.equal((await agent.status()).api, 1);
    const again = await Agent.connect(connection);
    assert.equal(asked, 1);
    const [token] = await again.tokens();
    assert.equal(token.signing_certificate, null);
    assert.equal(token.user_pin_tries_left, 6);

    await assert.rejects(agent.sign("合同"), { name: "AgentError", code: "no-certificate", status: 409 });

    const changing = agent.changePin();
    const change = await page();
    await change.press("enter", { pin: toBase64(PIN), new: toBase64("new-pin-1"), again: toBase64("new-pin-1") });
    await changing;

    const leaving = new AbortController();
    const cancelled = agent.changePin(leaving.signal);
    await page();
    leaving.abort();
    await assert.rejects(cancelled, { name: "AbortError" });
  });

  it("hears the holder's no", async () => {
    const connecting = Agent.connect({ ports: [port], keeper: new Memory(), fetch: fromSite("https://other.example") });
    const heard = assert.rejects(connecting, { code: "denied", status: 403, title: "用户已取消" });
    await (await page()).press("deny");
    await heard;
  });
});

describe("the client alone", () => {
  it("passes over other programs on the agent's ports", async () => {
    const other = createServer((_, answer) => answer.end("<html>")).listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const ports = [other.address().port];
    await assert.rejects(Agent.connect({ ports, keeper: new Memory(), fetch: fromSite(SITE) }), { code: "no-agent", status: 0 });
    other.close();
  });

  it("keeps nothing that is not its own", async () => {
    const keeper = new Memory();
    keeper.setItem("yinxin-agent", "{broken");
    await assert.rejects(Agent.connect({ ports: [], keeper, fetch: fromSite(SITE) }), AgentError);
    assert.equal(keeper.getItem("yinxin-agent"), "{broken");
    Agent.forget(keeper);
    assert.equal(keeper.getItem("yinxin-agent"), null);
  });

  it("turns bytes into base64 and back, however many", () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
    assert.equal(toBase64("合同"), "5ZCI5ZCM");
  });

  it("judges login statements as a server does", () => {
    const nonce = new Uint8Array(32).fill(7);
    const now = new Date("2026-11-23T08:01:00Z");
    const expected = { origin: SITE, audience: "bidding", nonce, now };
    const said = {
      version: 1, purpose: "login", origin: SITE, audience: "bidding", nonce: toBase64(nonce), issued_at: "2026-11-23T08:00:00Z",
    };
    const bytes = (value) => new TextEncoder().encode(JSON.stringify(value));
    assert.equal(readLoginStatement(bytes(said), expected).audience, "bidding");
    for (const [change, reason] of [
      [{ origin: "https://other.example" }, "origin"],
      [{ audience: "other" }, "audience"],
      [{ nonce: toBase64(new Uint8Array(32)) }, "nonce"],
      [{ nonce: "!" }, "nonce"],
      [{ issued_at: "2026-11-23T07:55:59Z" }, "time"],
      [{ issued_at: "2026-11-23T08:03:01Z" }, "time"],
      [{ issued_at: "today" }, "time"],
      [{ purpose: "sign" }, "malformed"],
      [{ version: 2 }, "malformed"],
      [{ more: 1 }, "malformed"],
    ]) {
      assert.throws(() => readLoginStatement(bytes({ ...said, ...change }), expected), (error) => {
        return error instanceof LoginError && error.reason === reason;
      }, JSON.stringify(change));
    }
  });
});
