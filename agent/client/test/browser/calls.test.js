// A page calls the agent as it likes: without approval, with a stolen token, in forms that need no preflight, by what is no script.
// The user has let the sites reach this computer, so that the agent is what stands in the way.
import assert from "node:assert/strict";

import { EVIL, OTHER, SITE, TO_SIGN, UNREADABLE, attack, attempt, bench, json } from "./support/bench.js";

const b = bench();
const api = (name) => `${b.agent.origin}/v1/${name}`;
const evil = () => b.open(`${EVIL}/`);

/** Puts something into a page, waits until it has loaded or failed, and says which. */
const include = (page, tag, attributes) => page.evaluate(([name, given]) => new Promise((resolve) => {
  const element = Object.assign(document.createElement(name), given);
  for (const event of ["load", "error"]) element.addEventListener(event, () => resolve(event));
  document.body.append(element);
}), [tag, attributes]);

/** Submits a form into a new tab and gives it once the agent has answered. */
async function submit(page, path, enctype, fields) {
  const from = b.tap.calls.length;
  const [tab] = await Promise.all([
    b.context.waitForEvent("page"),
    page.evaluate(([action, kind, entries]) => {
      const form = Object.assign(document.createElement("form"), { action, method: "post", enctype: kind, target: "_blank" });
      for (const [name, value] of entries) form.append(Object.assign(document.createElement("input"), { name, value }));
      document.body.append(form);
      form.submit();
    }, [`${b.agent.origin}${path}`, enctype, fields]),
  ]);
  return { tab, call: await b.answered("POST", path, from) };
}

attack(b, "a stranger's call is refused and its answer unreadable", async () => {
  const page = await evil();
  const { result, lines } = await b.asked(() => attempt(page, api("tokens"), json()));
  assert.deepEqual(result, UNREADABLE);
  assert.deepEqual(lines, ["OPTIONS /v1/tokens 403 origin"]);
});

attack(b, "a stolen token is no good to another site", async () => {
  const page = await evil();
  const { result, lines } = await b.asked(async () => attempt(page, api("sign"), json(TO_SIGN, await b.token())));
  assert.deepEqual(result, UNREADABLE);
  assert.deepEqual(lines, ["OPTIONS /v1/sign 403 origin"]);
});

attack(b, "the token of one approved site is no good to another one", async () => {
  const other = await b.approved(OTHER);
  const { result, lines } = await b.asked(async () => attempt(other, api("sign"), json(TO_SIGN, await b.token())));
  assert.equal(result.status, 401);
  assert.deepEqual(lines, ["OPTIONS /v1/sign 204", "POST /v1/sign 401 unpaired"]);
  await revoke(OTHER);
}, { log: [`${OTHER} pairing done`, `${OTHER} revoke done`], pages: 2 });

attack(b, "a site whose approval is taken back is a stranger, whatever its browser remembers", async () => {
  const other = await b.approved(OTHER);
  const token = await b.token(other);
  assert.equal((await attempt(other, api("tokens"), json({}, token))).status, 200);
  await revoke(OTHER);
  const { result, calls } = await b.asked(() => attempt(other, api("tokens"), json({}, token)));
  assert.deepEqual(result, UNREADABLE);
  assert.ok(calls.every((call) => call.status === 403), "the preflight that the browser remembers lets nothing through");
}, { log: [`${OTHER} pairing done`, `${OTHER} revoke done`], pages: 2 });

attack(b, "without the user's permission the browser lets no site through", async () => {
  // Chromium asks the user (Local Network Access) and nobody says yes: the agent is not even asked.
  const page = await b.open("https://third.example/");
  const { result, lines } = await b.asked(() => attempt(page, api("pairing"), json()));
  assert.deepEqual(result, UNREADABLE);
  assert.deepEqual(lines, []);
});

attack(b, "JSON sent as text, without a preflight, is refused", async () => {
  const page = await evil();
  const request = { method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" }, body: JSON.stringify(TO_SIGN) };
  const { result, lines } = await b.asked(() => attempt(page, api("sign"), request));
  assert.deepEqual(result, UNREADABLE);
  assert.deepEqual(lines, ["POST /v1/sign 403 origin"]);
});

attack(b, "an approved site cannot do without the preflight", async () => {
  const plain = { ...json(TO_SIGN), headers: { "content-type": "text/plain" } };
  const { result, lines } = await b.asked(() => attempt(b.site, api("sign"), plain));
  assert.deepEqual([result.status, lines], [415, ["POST /v1/sign 415 media-type"]]);
});

attack(b, "an approved site's call without CORS is refused", async () => {
  const { result, lines } = await b.asked(() => attempt(b.site, api("sign"), { method: "POST", mode: "no-cors", body: JSON.stringify(TO_SIGN) }));
  assert.deepEqual(result, UNREADABLE);
  assert.deepEqual(lines, ["POST /v1/sign 403 fetch-metadata"]);
});

attack(b, "a posted form does nothing and its answer is unreadable", async () => {
  const page = await evil();
  const { tab, call } = await submit(page, "/v1/sign", "application/x-www-form-urlencoded", Object.entries(TO_SIGN));
  assert.equal(call.status, 403);
  await tab.waitForLoadState();
  assert.doesNotMatch(await tab.content(), /signature|certificate/);
});

attack(b, "JSON hidden in a form of text is refused", async () => {
  const page = await evil();
  const { call } = await submit(page, "/v1/sign", "text/plain", [[`{"format":"raw","message":"5ZCI5ZCM","x":"`, `"}`]]);
  assert.match(call.body, /^\{"format":"raw"/);
  assert.equal(call.status, 403);
});

attack(b, "a multipart form is refused", async () => {
  const { call } = await submit(await evil(), "/v1/sign", "multipart/form-data", Object.entries(TO_SIGN));
  assert.match(call.headers["content-type"], /^multipart\/form-data/);
  assert.equal(call.status, 403);
});

attack(b, "a form of an approved site is refused", async () => {
  const { call } = await submit(b.site, "/v1/sign", "text/plain", [[`{"format":"raw","message":"5ZCI5ZCM","x":"`, `"}`]]);
  assert.deepEqual([call.headers["sec-fetch-mode"], call.status], ["navigate", 403]);
});

attack(b, "a form of a stranger does not press the agent's buttons", async () => {
  const { call } = await submit(await evil(), "/page/knock", "text/plain", [["{}", ""]]);
  assert.equal(call.status, 403);
});

attack(b, "a beacon is refused", async () => {
  const page = await evil();
  const from = b.tap.calls.length;
  await page.evaluate(([url, body]) => navigator.sendBeacon(url, body), [api("sign"), JSON.stringify(TO_SIGN)]);
  assert.equal((await b.answered("POST", "/v1/sign", from)).status, 403);
  await page.evaluate(([url, body]) => {
    navigator.sendBeacon(url, new Blob([body], { type: "application/json" }));
  }, [api("sign"), JSON.stringify(TO_SIGN)]);
  assert.equal((await b.answered("OPTIONS", "/v1/sign", from)).status, 403);
});

attack(b, "the ping of a link is refused", async () => {
  const page = await evil();
  const from = b.tap.calls.length;
  await page.evaluate((url) => {
    const link = Object.assign(document.createElement("a"), { href: "#here", ping: url, textContent: "go" });
    document.body.append(link);
    link.click();
  }, api("sign"));
  assert.equal((await b.answered("POST", "/v1/sign", from)).status, 403);
});

attack(b, "a report on a page's policy is refused", async () => {
  b.sites.put("/reporting", "<!doctype html><img src=https://nowhere.example/x>", {
    "content-security-policy": `img-src 'none'; report-uri ${api("sign")}`,
  });
  const from = b.tap.calls.length;
  await b.open(`${EVIL}/reporting`);
  assert.equal((await b.answered("POST", "/v1/sign", from)).status, 403);
});

attack(b, "a WebSocket, which knows no CORS, is refused", async () => {
  for (const page of [await evil(), b.site]) {
    const { result, lines } = await b.asked(() => page.evaluate((url) => new Promise((resolve) => {
      const socket = new WebSocket(url);
      for (const event of ["open", "error"]) socket.addEventListener(event, () => resolve(event));
    }), api("sign").replace("http:", "ws:")));
    assert.equal(result, "error");
    assert.deepEqual(lines, ["GET /v1/sign 400 request-form"]);
  }
});

attack(b, "an event source hears nothing", async () => {
  for (const [page, refusal] of [[await evil(), "403 origin"], [b.site, "405 method"]]) {
    const { result, lines } = await b.asked(() => page.evaluate((url) => new Promise((resolve) => {
      const source = new EventSource(url);
      for (const event of ["open", "message", "error"]) source.addEventListener(event, () => { source.close(); resolve(event); });
    }), api("tokens")));
    assert.equal(result, "error");
    assert.deepEqual(lines, [`GET /v1/tokens ${refusal}`]);
  }
});

attack(b, "credentials are not allowed, not even for an approved site", async () => {
  const token = await b.token();
  const { result, lines } = await b.asked(() => attempt(b.site, api("sign"), { ...json(TO_SIGN, token), credentials: "include" }));
  assert.deepEqual(result, UNREADABLE);
  assert.deepEqual(lines, ["OPTIONS /v1/sign 204"], "the browser gives up: no answer allows credentials");
});

attack(b, "other methods are refused", async () => {
  const token = await b.token();
  for (const method of ["PUT", "DELETE", "PATCH", "SIGN"]) {
    const { result, lines } = await b.asked(() => attempt(b.site, api("sign"), { ...json(TO_SIGN, token), method }));
    assert.deepEqual(result, UNREADABLE);
    assert.deepEqual(lines, ["OPTIONS /v1/sign 405 method"]);
  }
  const { result, lines } = await b.asked(() => attempt(b.site, api("tokens"), {}));
  assert.deepEqual([result.status, lines], [405, ["GET /v1/tokens 405 method"]]);
});

attack(b, "a token in the address is refused", async () => {
  const token = await b.token();
  const { result, calls } = await b.asked(() => attempt(b.site, `${api("tokens")}?token=${token}`, json()));
  assert.deepEqual(result, UNREADABLE);
  assert.ok(calls.length > 0 && calls.every((call) => call.status === 400));
});

attack(b, "headers that a script cannot set stay the browser's", async () => {
  const page = await evil();
  const forged = { origin: SITE, host: "127.0.0.1", "sec-fetch-site": "same-origin", referer: `${SITE}/` };
  const { result, calls } = await b.asked(() => attempt(page, api("tokens"), {
    method: "POST", mode: "no-cors", body: "{}", headers: forged,
  }));
  assert.deepEqual(result, UNREADABLE);
  assert.deepEqual([calls[0].headers.origin, calls[0].headers["sec-fetch-site"], calls[0].status], [EVIL, "cross-site", 403]);
});

attack(b, "a line feed in a header does not begin another header", async () => {
  const { result, calls } = await b.asked(() => attempt(b.site, api("tokens"), {
    ...json(), headers: { "content-type": "application/json", authorization: `Bearer x\r\nOrigin: ${SITE}` },
  }));
  assert.deepEqual([result, calls], [UNREADABLE, []]);
});

attack(b, "a header of the agent's own page is not allowed to a site", async () => {
  const request = { ...json(), headers: { "content-type": "application/json", "yinxin-page": "x" } };
  for (const path of ["/page/view", "/v1/tokens"]) {
    const { result, calls } = await b.asked(() => attempt(b.site, b.agent.origin + path, request));
    assert.deepEqual(result, UNREADABLE);
    assert.deepEqual(calls.map(({ method, status }) => [method, status >= 400]), [["OPTIONS", true]]);
  }
});

attack(b, "a redirect of the stranger's own site stays the stranger's call", async () => {
  b.sites.redirect("/to-the-agent", api("tokens"));
  const page = await evil();
  const { result, lines } = await b.asked(async () => attempt(page, `${EVIL}/to-the-agent`, json({}, await b.token())));
  assert.deepEqual(result, UNREADABLE);
  assert.deepEqual(lines, ["OPTIONS /v1/tokens 403 origin"]);
});

attack(b, "an open redirect of the approved site lends nobody its origin", async () => {
  b.sites.redirect("/open-redirect", api("tokens"));
  const page = await evil();
  const { result, calls } = await b.asked(async () => attempt(page, `${SITE}/open-redirect`, json({}, await b.token())));
  assert.deepEqual(result, UNREADABLE);
  assert.deepEqual(calls.map(({ headers, status }) => [headers.origin, status]), [["null", 403]]);
});

attack(b, "a form that the approved site redirects is refused", async () => {
  b.sites.redirect("/open-redirect", api("sign"));
  const from = b.tap.calls.length;
  const page = await evil();
  await page.evaluate((action) => {
    const form = Object.assign(document.createElement("form"), { action, method: "post", enctype: "text/plain" });
    document.body.append(form);
    form.submit();
  }, `${SITE}/open-redirect`);
  assert.equal((await b.answered("POST", "/v1/sign", from)).status, 403);
});

attack(b, "a navigation to the interface shows a refusal to the user and nothing to the site", async () => {
  const page = await evil();
  const from = b.tap.calls.length;
  const [tab] = await Promise.all([b.context.waitForEvent("page"), page.evaluate((url) => {
    globalThis.tab = open(url);
  }, api("tokens"))]);
  assert.equal((await b.answered("GET", "/v1/tokens", from)).status, 403);
  await tab.waitForLoadState();
  assert.doesNotMatch(await tab.content(), /signing_certificate/);
  const read = await page.evaluate(() => {
    try {
      return globalThis.tab.document?.body.textContent ?? "nothing";
    } catch (error) {
      return error.name;
    }
  });
  assert.match(read, /^(SecurityError|nothing)$/);
});

attack(b, "a refresh by the page's head calls nothing", async () => {
  b.sites.put("/refresh", `<!doctype html><meta http-equiv="refresh" content="0;url=${api("sign")}">`);
  const from = b.tap.calls.length;
  await b.open(`${EVIL}/refresh`);
  assert.equal((await b.answered("GET", "/v1/sign", from)).status, 403);
});

for (const [what, tag, attributes] of [
  ["an image", "img", (src) => ({ src })],
  ["a script", "script", (src) => ({ src })],
  ["a module", "script", (src) => ({ src, type: "module" })],
  ["a style sheet", "link", (href) => ({ href, rel: "stylesheet" })],
  ["a video", "video", (src) => ({ src })],
]) {
  attack(b, `the interface and the page's files are not given out as ${what}`, async () => {
    const page = await evil();
    for (const path of ["/v1/tokens", "/assets/agent.js", "/assets/agent.css", "/"]) {
      const { result, calls } = await b.asked(() => include(page, tag, attributes(b.agent.origin + path)));
      assert.equal(result, "error");
      assert.ok(calls.length === 1 && calls[0].status === 403, path);
    }
  });
}

attack(b, "nothing of the agent is fetched ahead for a site", async () => {
  const page = await evil();
  for (const [rel, as] of [["prefetch", ""], ["preload", "fetch"], ["preload", "script"], ["modulepreload", "script"]]) {
    const { result, calls } = await b.asked(() => include(page, "link", { rel, as, href: `${b.agent.origin}/` }));
    assert.equal(result, "error", rel);
    assert.ok(calls.every((call) => call.status === 403));
  }
});

attack(b, "an answer can neither be measured nor kept by a site", async () => {
  const page = await evil();
  await attempt(page, api("tokens"), { method: "POST", mode: "no-cors", body: "{}" });
  const learnt = await page.evaluate(async (url) => {
    const kept = await caches.open("x").then((cache) => cache.add(url)).then(() => "kept", (error) => error.name);
    const sizes = performance.getEntriesByName(url).map((entry) => [entry.transferSize, entry.encodedBodySize, entry.responseStatus]);
    return { kept, sizes: [...new Set(sizes.flat())] };
  }, api("tokens"));
  assert.deepEqual(learnt, { kept: "TypeError", sizes: [0] });
});

attack(b, "a PIN in a call is refused, wherever it stands", async () => {
  const { pin } = b.agent.world;
  const token = await b.token();
  for (const body of [{ ...TO_SIGN, pin }, { ...TO_SIGN, password: pin }, { ...TO_SIGN, options: { pin } }]) {
    const { result, lines } = await b.asked(() => attempt(b.site, api("sign"), json(body, token)));
    assert.equal(result.status, 400);
    assert.ok(lines.includes("POST /v1/sign 400 pin-in-request") && !result.text.includes(pin));
  }
});

attack(b, "a site cannot name another origin to log in to", async () => {
  const nonce = Buffer.alloc(32, 7).toString("base64");
  const token = await b.token();
  const { result } = await b.asked(() => attempt(b.site, api("login"), json({ audience: "bidding", nonce, origin: OTHER }, token)));
  assert.equal(result.status, 400);
});

attack(b, "messages that mean something else are not signed for an approved site", async () => {
  for (const message of ["YINXIN-LOGIN-1\n{}", "YINXIN-TICKET-1\n{}"]) {
    assert.equal(await b.begin("sign", message).ended, "confusable-message");
  }
});

/** The holder takes an approval back, on the overview. */
async function revoke(origin) {
  const page = await b.open(`${b.agent.origin}/`);
  await page.getByRole("button", { name: "打开证书助手" }).click();
  const overview = await b.window();
  await overview.locator(`button[data-action=revoke][data-origin="${origin}"]`).click();
  await overview.locator(`button[data-origin="${origin}"]`).waitFor({ state: "detached" });
  await overview.close();
  await page.close();
}
