// Names and addresses that lead to the agent: a name of the attacker's that is pointed at 127.0.0.1 (DNS rebinding), and other ways to
// write this computer. A rebound page has the same origin as what it calls, so the browser lets it read everything: the agent has to refuse.
import assert from "node:assert/strict";

import { EVIL, TO_SIGN, UNREADABLE, attack, attempt, bench, json } from "./support/bench.js";

// Chromium keeps a rebound page from this computer by itself, as a site that was not permitted; other browsers do not.
const b = bench({ guard: false });

/** A page of this origin, which is the agent's computer by now: it came before the name was pointed there. */
async function rebound(name) {
  const origin = `http://${name}:${b.agent.port}`;
  const page = await b.context.newPage();
  await page.route(`${origin}/lure`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>lure</title>" }));
  await page.goto(`${origin}/lure`);
  assert.equal(await page.title(), "lure");
  return { page, origin };
}

const NAMES = [
  ["a name that is pointed at this computer", "rebound.example"],
  ["a name below localhost", "evil.localhost"],
  ["localhost with a final dot", "localhost."],
];

for (const [what, name] of NAMES) {
  attack(b, `${what} calls nothing`, async () => {
    const { page, origin } = await rebound(name);
    for (const path of ["sign", "tokens", "pairing"]) {
      const body = path === "sign" ? TO_SIGN : {};
      const { result, calls } = await b.asked(async () => attempt(page, `${origin}/v1/${path}`, json(body, await b.token())));
      assert.deepEqual([calls[0].headers.host, calls[0].status], [`${name}:${b.agent.port}`, 421]);
      assert.match(result.text, /urn:yinxin:agent:host/, "readable, and a refusal");
    }
  });
}

attack(b, "a name that is pointed at this computer gets no page and spends no code", async () => {
  const { page, origin } = await rebound("rebound.example");
  for (const path of ["/", "/assets/agent.js"]) {
    assert.equal((await attempt(page, origin + path)).status, 421);
  }
  const signing = b.begin("sign", "合同");
  const address = await b.agent.nextPage();
  const code = new URL(address).hash.slice(1);
  assert.equal((await attempt(page, `${origin}/page/open`, json({ code }))).status, 421);
  await page.goto(address.replace("127.0.0.1", "rebound.example"));
  assert.match(await page.content(), /urn:yinxin:agent:host/);
  // The holder's own window still opens with it.
  const window = await b.open(address);
  await window.getByRole("button", { name: "取消" }).click();
  assert.equal(await signing.ended, "denied");
}, { log: ["https://site.example sign denied"], pages: 1 });

attack(b, "a frame of the rebound page is refused like the page", async () => {
  const { page, origin } = await rebound("rebound.example");
  const { calls } = await b.asked(() => page.evaluate((src) => new Promise((resolve) => {
    const frame = Object.assign(document.createElement("iframe"), { src });
    frame.addEventListener("load", resolve);
    document.body.append(frame);
  }), `${origin}/`));
  assert.ok(calls.length > 0 && calls.every(({ status }) => status === 421));
});

attack(b, "the agent's page is there under one name alone", async () => {
  const address = (name) => `http://${name}:${b.agent.port}/`;
  for (const name of ["localhost", "localhost.", "evil.localhost", "rebound.example"]) {
    const answer = await (await b.context.newPage()).goto(address(name));
    assert.equal(answer.status(), 421, name);
  }
  assert.equal((await (await b.context.newPage()).goto(address("127.0.0.1"))).status(), 200);
});

for (const [what, host, status] of [
  // Browsers make 127.0.0.1 of these, and the call is a stranger's like any other.
  ["127.1", "127.1", 403], ["a number", "2130706433", 403], ["hexadecimal", "0x7f.0.0.1", 403], ["octal", "0177.0.0.1", 403],
  ["localhost", "localhost", 403],
  // Nobody listens there. The first one Chromium calls nowhere.
  ["all interfaces", "0.0.0.0"], ["IPv6", "[::1]"], ["IPv6 around IPv4", "[::ffff:127.0.0.1]"], ["another loopback address", "127.0.0.2"],
]) {
  attack(b, `another way to write the address opens nothing: ${what}`, async () => {
    const page = await b.open(`${EVIL}/`);
    for (const options of [json({}, await b.token()), { method: "POST", mode: "no-cors", body: "{}" }]) {
      const { result, calls } = await b.asked(() => attempt(page, `http://${host}:${b.agent.port}/v1/tokens`, options));
      assert.deepEqual(result, UNREADABLE);
      assert.deepEqual(calls.map((call) => call.status), status === undefined ? [] : [status]);
    }
  });
}
