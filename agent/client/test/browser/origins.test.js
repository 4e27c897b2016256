// Who calls: pages without an origin, workers, files, and origins that look like the approved one. They have the approved site's token.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { EVIL, SITE, TO_SIGN, UNREADABLE, attack, attempt, bench, json } from "./support/bench.js";

const b = bench();
const api = (name) => `${b.agent.origin}/v1/${name}`;
const stolen = async () => json(TO_SIGN, await b.token());

/** The origin that the agent was told, and what it said; every call was refused before its body. */
function refused(calls, origin) {
  assert.deepEqual(calls.map(({ method, headers, status }) => [method, headers.origin, status]), [["OPTIONS", origin, 403]]);
}

/** Calls from a frame of a page and gives what came of it. */
async function fromFrame(page, attributes) {
  await page.evaluate((given) => new Promise((resolve) => {
    const frame = document.createElement("iframe");
    for (const [name, value] of Object.entries(given)) frame.setAttribute(name, value);
    frame.addEventListener("load", resolve);
    document.body.append(frame);
  }), attributes);
  return await b.asked(async () => attempt(page.frames().at(-1), api("sign"), await stolen()));
}

/** A script that fetches what it is told and tells what came of it. */
const SCRIPT = `onmessage = async ({ data: [url, options], ports }) => {
  const say = (value) => (ports[0] ?? self).postMessage(value);
  try { say(await (await fetch(url, options)).text()); } catch (error) { say(error.name); }
}`;

attack(b, "a sandboxed frame of the approved site is a stranger", async () => {
  const page = await b.open(`${SITE}/`);
  const { result, calls } = await fromFrame(page, { sandbox: "allow-scripts", srcdoc: "<p>x", allow: "local-network-access *; loopback-network *" });
  assert.deepEqual(result, UNREADABLE);
  refused(calls, "null");
});

attack(b, "a page in a data: address is a stranger", async () => {
  const page = await b.open(`${SITE}/`);
  const { result, calls } = await fromFrame(page, { src: "data:text/html,<p>x", allow: "local-network-access *; loopback-network *" });
  assert.deepEqual(result, UNREADABLE);
  refused(calls, "null");
});

attack(b, "a stranger in a frame of the approved site stays a stranger", async () => {
  const page = await b.open(`${SITE}/`);
  const { result, calls } = await fromFrame(page, { src: `${EVIL}/`, allow: "local-network-access *; loopback-network *" });
  assert.deepEqual(result, UNREADABLE);
  refused(calls, EVIL);
});

attack(b, "a frame of the approved site in a stranger's page asks for the site, and the stranger reads nothing", async () => {
  // Whether a site lets itself be framed is the site's decision. The holder sees who asks.
  const page = await b.open(`${EVIL}/`);
  const asking = fromFrame(page, { src: `${SITE}/` });
  const window = await b.window();
  assert.equal(await window.locator("p.origin").textContent(), SITE);
  await window.getByRole("button", { name: "取消" }).click();
  const { result, calls } = await asking;
  assert.equal(result.status, 403);
  assert.ok(calls.every(({ headers }) => headers.origin !== EVIL));
  assert.equal(await page.evaluate(() => {
    try {
      return frames[0].document.title;
    } catch (error) {
      return error.name;
    }
  }), "SecurityError");
}, { log: [`${SITE} sign denied`], pages: 1 });

attack(b, "a window that a stranger opens empty is the stranger's", async () => {
  const page = await b.open(`${EVIL}/`);
  const [popup] = await Promise.all([b.context.waitForEvent("page"), page.evaluate(() => { open("about:blank"); })]);
  const { result, calls } = await b.asked(async () => attempt(popup, api("sign"), await stolen()));
  assert.deepEqual(result, UNREADABLE);
  refused(calls, EVIL);
});

attack(b, "a blob: page of a stranger is the stranger's", async () => {
  const page = await b.open(`${EVIL}/`);
  const [popup] = await Promise.all([b.context.waitForEvent("page"), page.evaluate(() => {
    open(URL.createObjectURL(new Blob(["<p>x"], { type: "text/html" })));
  })]);
  await popup.waitForLoadState();
  const { result, calls } = await b.asked(async () => attempt(popup, api("sign"), await stolen()));
  assert.deepEqual(result, UNREADABLE);
  refused(calls, EVIL);
});

attack(b, "a worker of a stranger is the stranger", async () => {
  b.sites.put("/worker.js", SCRIPT, { "content-type": "text/javascript" });
  const page = await b.open(`${EVIL}/`);
  const { result, calls } = await b.asked(async () => await page.evaluate(([url, options]) => new Promise((resolve) => {
    const worker = new Worker("/worker.js");
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage([url, options]);
  }), [api("sign"), await stolen()]));
  assert.equal(result, "TypeError");
  refused(calls, EVIL);
});

attack(b, "a service worker of a stranger is the stranger", async () => {
  b.sites.put("/service-worker.js", SCRIPT, { "content-type": "text/javascript" });
  const page = await b.open(`${EVIL}/`);
  const { result, calls } = await b.asked(async () => await page.evaluate(async ([url, options]) => {
    const registration = await navigator.serviceWorker.register("/service-worker.js");
    const worker = registration.installing ?? registration.waiting ?? registration.active;
    const { port1, port2 } = new MessageChannel();
    const said = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data); });
    worker.postMessage([url, options], [port2]);
    const result = await said;
    await registration.unregister();
    return result;
  }, [api("sign"), await stolen()]));
  assert.equal(result, "TypeError");
  refused(calls, EVIL);
});

attack(b, "a page in a file is a stranger", async () => {
  writeFileSync(b.agent.file("lure.html"), "<!doctype html><title>file</title>");
  const page = await b.open(pathToFileURL(b.agent.file("lure.html")).href);
  const { result, calls } = await b.asked(async () => attempt(page, api("sign"), await stolen()));
  assert.deepEqual(result, UNREADABLE);
  refused(calls, "null");
});

attack(b, "the approved site without TLS is another site", async () => {
  // Chromium itself keeps pages that came without TLS from this computer: the user is not even asked.
  const page = await b.open("http://site.example/");
  const { result, calls } = await b.asked(async () => attempt(page, api("sign"), await stolen()));
  assert.deepEqual(result, UNREADABLE);
  assert.deepEqual(calls, []);
});

for (const [what, origin] of [
  ["the approved site on another port", `${SITE}:8443`],
  ["a name below the approved one", "https://www.site.example"],
  ["a name that begins like the approved one", "https://site.example.evil.example"],
  ["a name that ends like the approved one", "https://evilsite.example"],
]) {
  attack(b, `${what} is another site`, async () => {
    await b.permit(origin);
    const page = await b.open(`${origin}/`);
    const { result, calls } = await b.asked(async () => attempt(page, api("sign"), await stolen()));
    assert.deepEqual(result, UNREADABLE);
    refused(calls, origin);
  });
}

attack(b, "a page of another program on this computer is a stranger", async () => {
  const other = createServer((_, answer) => {
    answer.writeHead(200, { "content-type": "text/html" });
    answer.end("<!doctype html><title>another program</title>");
  });
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  try {
    const origin = `http://127.0.0.1:${other.address().port}`;
    const page = await b.open(`${origin}/`);
    const { result, calls } = await b.asked(async () => attempt(page, api("sign"), await stolen()));
    assert.deepEqual(result, UNREADABLE);
    refused(calls, origin);
    // It is of the same site to the browser, and still not of the same origin.
    const knocked = await b.asked(() => attempt(page, `${b.agent.origin}/page/knock`, { method: "POST", mode: "no-cors", body: "{}" }));
    assert.deepEqual([knocked.result, knocked.lines], [UNREADABLE, ["POST /page/knock 403 origin"]]);
  } finally {
    await new Promise((resolve) => { other.close(resolve); other.closeAllConnections(); });
  }
});
