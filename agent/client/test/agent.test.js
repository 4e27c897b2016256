// The client against the agent itself: a program of this repository, on a free port, with a software UKey.
// YINXIN_AGENT names the program; without it these tests are skipped.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";

import { Agent, AgentError, LoginError, fromBase64, readLoginStatement, toBase64 } from "../dist/index.js";
import { Agent as Program, PROGRAM } from "./browser/support/agent.js";

const SITE = "https://site.example";
const LIMIT_MS = 30_000;

/** What a browser adds: the origin of the page. */
const fromSite = (origin) => (address, options) => fetch(address, { ...options, headers: { ...options.headers, origin } });

class Memory {
  #items = new Map();
  getItem(name) { return this.#items.get(name) ?? null; }
  setItem(name, value) { this.#items.set(name, value); }
  removeItem(name) { this.#items.delete(name); }
}

describe("the client and the agent", { skip: PROGRAM === undefined ? "YINXIN_AGENT is not set" : false, timeout: LIMIT_MS }, () => {
  let program, port;

  before(async () => {
    program = await Program.start();
    ({ port } = program);
    // The overview, which nobody looks at.
    await program.nextPage();
  });

  after(async () => await program?.stop());

  /** The holder at the next page that the agent opens. */
  async function page() {
    const address = await program.nextPage();
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
    assert.equal(token.signing_certificate.holder, program.world.holder);
    assert.equal(token.user_pin_tries_left, program.world.tries);

    await assert.rejects(agent.sign("YINXIN-LOGIN-1\n{}"), { name: "AgentError", code: "confusable-message", status: 422 });

    const changing = agent.changePin();
    const change = await page();
    await change.press("enter", { pin: toBase64(program.world.pin), new: toBase64("new-pin-1"), again: toBase64("new-pin-1") });
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
