// A browser, an agent on its computer, an approved site and others that are not: what every test of this directory begins with.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { after, before, it } from "node:test";

import { chromium } from "playwright-core";

import { Agent, PROGRAM } from "./agent.js";
import { siteCertificate } from "./openssl.js";
import { Sites } from "./sites.js";
import { Tap } from "./tap.js";

export const SITE = "https://site.example";
export const OTHER = "https://other.example";
export const EVIL = "https://evil.example";
/** No test may take longer. */
const LIMIT_MS = 30_000;
/** Chrome asks the user once for each site whether it may reach this computer; a test answers for him. */
const LOCAL_NETWORK = "local-network-access";
const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** In a page of a site. */
const CONNECT = async (port) => {
  const { Agent } = await import("/dist/index.js");
  globalThis.agent = await Agent.connect({ ports: [port] });
};

/** Every attack has its row there; agent/tests/agent/service/document.rs sees that every row has its attack. */
const DOCUMENT = readFileSync(new URL("../../../../../docs/agent-security.md", import.meta.url), "utf8");
const FILE = basename(process.argv[1], ".test.js");

export class Bench {
  agent;
  tap;
  sites;
  browser;
  context;
  /** A page of the approved site, which has the client as `agent`. */
  site;

  /** Without `guard` the browser lets every site call this computer, as browsers without Local Network Access do. */
  async start({ approve = true, guard = true } = {}) {
    this.agent = await Agent.start();
    this.tap = await Tap.start(this.agent.port);
    this.sites = await Sites.start(siteCertificate(this.agent.directory));
    this.browser = await chromium.launch({ executablePath: executable(), args: this.#arguments(guard), timeout: LIMIT_MS });
    this.context = await this.browser.newContext({ locale: "zh-CN" });
    this.context.setDefaultTimeout(LIMIT_MS / 2);
    for (const origin of [SITE, OTHER, EVIL]) await this.permit(origin);
    // The overview that `--open` asks for: the holder closes it.
    await (await this.window()).close();
    if (approve) this.site = await this.approved(SITE);
  }

  async stop() {
    await this.browser?.close();
    await this.sites?.stop();
    await this.tap?.stop();
    await this.agent?.stop();
  }

  /** The user lets a site reach this computer. */
  async permit(origin) {
    await this.context.grantPermissions([LOCAL_NETWORK], { origin });
  }

  /** A new tab. */
  async open(address) {
    const page = await this.context.newPage();
    await page.goto(address);
    return page;
  }

  /** The next window that the agent opens, as the system's browser opens it: by its address, from nowhere. */
  async window() {
    const page = await this.open(await this.agent.nextPage());
    await page.locator("h1, h2").first().waitFor();
    return page;
  }

  /** A page of a site that asked, and that the holder allowed by a click. */
  async approved(origin) {
    const page = await this.open(`${origin}/`);
    const connecting = page.evaluate(CONNECT, this.agent.port);
    const window = await this.window();
    await window.getByRole("button", { name: "允许" }).click();
    await connecting;
    await window.close();
    return page;
  }

  /** The token that the agent gave a site, as the site's page keeps it. */
  async token(page = this.site) {
    return await page.evaluate(() => JSON.parse(localStorage.getItem("yinxin-agent")).token);
  }

  /** Begins a call of the approved site that needs the holder. `ended` is how it ends: done, a refusal's code, or site-left. */
  begin(method, ...values) {
    const ended = this.site.evaluate(async ([name, given]) => {
      try {
        await globalThis.agent[name](...given);
        return "done";
      } catch (error) {
        return error.code ?? String(error);
      }
    }, [method, values]).catch(() => "site-left");
    return { ended };
  }

  /** What must be the same after an attack; asked for by the approved site, so that it also shows that a good call still works. */
  async state() {
    const tokens = await this.site.evaluate(async () => await globalThis.agent.tokens());
    return { tokens, log: this.agent.log, approvals: this.agent.approvals, pages: this.agent.pages.length };
  }

  /** Puts a failed test's leavings away: what waits for the holder ends when the site's page goes. */
  async tidy() {
    await this.site.reload();
    await this.site.evaluate(CONNECT, this.agent.port);
    this.agent.passOverPages();
  }

  /** What the agent was asked while something was done: method, path and how it answered. */
  async asked(what) {
    const from = this.tap.calls.length;
    const result = await what();
    const calls = this.tap.calls.slice(from);
    return { result, calls, lines: calls.map(line) };
  }

  /** Waits until the agent has answered a call of this kind that came after `from` others. */
  async answered(method, path, from = 0) {
    for (const begun = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, 5))) {
      const call = this.tap.calls.slice(from).find((seen) => seen.method === method && seen.path === path && seen.status !== undefined);
      if (call !== undefined) return call;
      if (Date.now() - begun > LIMIT_MS / 2) throw new Error(`no ${method} ${path} came: ${this.tap.calls.slice(from).map(line)}`);
    }
  }

  #arguments(guard) {
    const { securePort, plainPort } = this.sites;
    const { port } = this.agent;
    const agentsNames = ["127.0.0.1", "localhost", "localhost.", "rebound.example", "evil.localhost", "0.0.0.0"];
    const rules = [
      ...agentsNames.map((name) => `MAP ${name}:${port} 127.0.0.1:${this.tap.port}`),
      `MAP *.example:80 127.0.0.1:${plainPort}`, `MAP *.example:443 127.0.0.1:${securePort}`, `MAP *.example:8443 127.0.0.1:${securePort}`,
    ];
    return [
      `--host-resolver-rules=${rules.join(", ")}`,
      // The sites are on the internet, as far as the browser knows: so its rules for calls to this computer apply.
      `--ip-address-space-overrides=127.0.0.1:${securePort}=public,127.0.0.1:${plainPort}=public`,
      "--ignore-certificate-errors", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", ...(guard ? [] : ["--disable-features=LocalNetworkAccessChecks"]),
    ];
  }
}

/** How a call and its answer are written in a test: `POST /v1/status 403 origin`. */
export function line({ method, path, status, answer = "" }) {
  const code = /"type":"urn:yinxin:agent:([\w-]+)"/.exec(answer)?.[1];
  return [method, path, status ?? "unanswered", code].filter((word) => word !== undefined).join(" ");
}

/** A bench for the tests of a file. */
export function bench(options) {
  const made = new Bench();
  // Every test is skipped then.
  if (PROGRAM === undefined) return made;
  before(async () => await made.start(options), { timeout: 2 * LIMIT_MS });
  after(async () => await made.stop(), { timeout: LIMIT_MS });
  return made;
}

export function test(name, run) {
  it(name, { timeout: LIMIT_MS, skip: PROGRAM === undefined ? "YINXIN_AGENT is not set" : false }, run);
}

/**
 * A test in which something is tried that must not work. A good call works before it and after it; and the agent's log, its approved sites, the
 * tries of the PIN and the number of windows are afterwards as they were, but for what is expected to be added.
 */
export function attack(made, name, run, { log = [], pages = 0, approvals = false } = {}) {
  test(name, async () => {
    assert.ok(DOCUMENT.includes(`| \`browser/${FILE}::${name}\` |`), `docs/agent-security.md has no row for browser/${FILE}::${name}`);
    const kept = await made.state();
    const tabs = made.context.pages();
    try {
      await run();
    } catch (error) {
      await made.tidy();
      throw error;
    } finally {
      for (const page of made.context.pages()) if (!tabs.includes(page)) await page.close();
    }
    const now = await made.state();
    const expected = { ...kept, log: [...kept.log, ...log], pages: kept.pages + pages };
    assert.deepEqual(now, approvals ? { ...expected, approvals: now.approvals } : expected);
  });
}

function executable() {
  const places = (process.env.PATH ?? "").split(":").flatMap((place) => BROWSERS.map((name) => `${place}/${name}`));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error("no Chromium on the PATH");
  return found;
}

/** What a page gets out of a fetch. */
export async function attempt(page, address, options = {}) {
  return await page.evaluate(async ([url, given]) => {
    try {
      const answer = await fetch(url, given);
      return { type: answer.type, status: answer.status, text: await answer.text() };
    } catch (error) {
      return { error: error.name };
    }
  }, [address, options]);
}

/** Nothing: the browser hides even why. Calls without CORS end so too, for the agent's answers say that no other site may have them. */
export const UNREADABLE = { error: "TypeError" };

/** A call as the client makes it. */
export function json(body = {}, token = undefined) {
  const headers = { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

/** What a site wants signed, as JSON. */
export const CONTRACT = "甲方向乙方支付人民币壹万元整。";
export const TO_SIGN = { message: Buffer.from(CONTRACT).toString("base64"), format: "raw" };
