// The PIN: guessed, repeated, fished for.
import assert from "node:assert/strict";

import { CONTRACT, SITE, TO_SIGN, attack, attempt, bench, json, test } from "./support/bench.js";

const b = bench();
const api = (name) => `${b.agent.origin}/v1/${name}`;

async function enter(window, pin) {
  await window.locator("input[name=pin]").fill(pin);
  await window.getByRole("button", { name: "确定" }).click();
}

attack(b, "a wrong PIN signs nothing and says how many tries are left", async () => {
  const signing = b.begin("sign", CONTRACT);
  const window = await b.window();
  await enter(window, "not-the-pin");
  await window.getByText("口令错误，还可尝试 5 次").waitFor();
  assert.equal(await window.locator("input[name=pin]").inputValue(), "", "what was typed is gone");
  await enter(window, b.agent.world.pin);
  await window.getByText("操作完成").waitFor();
  assert.equal(await signing.ended, "done", "the right one begins the count anew");
  assert.ok(!(await window.content()).includes(b.agent.world.pin));
}, { log: [`${SITE} sign done`], pages: 1 });

attack(b, "after the last try the right PIN does not help", async () => {
  try {
    const signing = b.begin("sign", CONTRACT);
    const window = await b.window();
    for (let left = b.agent.world.tries - 1; left > 0; left -= 1) {
      await enter(window, "not-the-pin");
      await window.getByText(`口令错误，还可尝试 ${left} 次`).waitFor();
    }
    const form = await window.locator("form").getAttribute("data-form");
    await enter(window, "not-the-pin");
    await window.getByText("用户口令已锁定").first().waitFor();
    assert.equal(await signing.ended, "pin-locked");
    // The window has no entry any more; a script in it would be refused as well.
    assert.equal(await window.locator("input").count(), 0);
    const body = { form, pin: btoa(b.agent.world.pin) };
    const again = await window.evaluate(async (given) => (await fetch("/page/enter", {
      method: "POST", headers: { "content-type": "application/json", "yinxin-page": sessionStorage.getItem("session") }, body: JSON.stringify(given),
    })).status, body);
    assert.equal(again, 410);
    const pages = b.agent.pages.length;
    assert.equal(await b.begin("sign", CONTRACT).ended, "pin-locked", "and nobody is asked again");
    assert.equal(b.agent.pages.length, pages);
    const [token] = await b.site.evaluate(async () => await globalThis.agent.tokens());
    assert.equal(token.user_pin_tries_left, 0);
  } finally {
    b.agent.restoreToken();
  }
}, { log: [`${SITE} sign pin-locked`, `${SITE} sign pin-locked`], pages: 1 });

attack(b, "what a site sends along never counts as a PIN", async () => {
  const token = await b.token();
  const headers = { ...json().headers, authorization: `Bearer ${token}:${b.agent.world.pin}` };
  const refused = await attempt(b.site, api("sign"), { ...json(TO_SIGN), headers });
  assert.equal(refused.status, 401);
  const log = b.agent.log.length;
  const signing = b.begin("sign", `${CONTRACT} PIN: ${b.agent.world.pin}`);
  const window = await b.window();
  assert.equal(await window.locator("input[name=pin]").inputValue(), "");
  assert.equal(b.agent.log.length, log, "it waits for the holder");
  await window.getByRole("button", { name: "取消" }).click();
  assert.equal(await signing.ended, "denied");
}, { log: [`${SITE} sign denied`], pages: 1 });

attack(b, "when the site's page is closed the PIN signs nothing any more", async () => {
  const page = await b.open(`${SITE}/`);
  await page.evaluate(([url, options]) => { fetch(url, options); }, [api("sign"), json(TO_SIGN, await b.token())]);
  const window = await b.window();
  await page.close();
  await window.getByText("网站已离开").waitFor();
  assert.equal(await window.locator("input").count(), 0);
}, { log: [`${SITE} sign site-left`], pages: 1 });

attack(b, "new PINs that differ, or are the old one, change nothing", async () => {
  const changing = b.begin("changePin");
  const window = await b.window();
  const type = async (...pins) => {
    for (const [at, name] of ["pin", "new", "again"].entries()) await window.locator(`input[name=${name}]`).fill(pins[at]);
    await window.getByRole("button", { name: "确定" }).click();
  };
  const { pin } = b.agent.world;
  await type(pin, "new-pin-1", "new-pin-2");
  await window.getByText("不一致").waitFor();
  await type(pin, pin, pin);
  await window.getByText("与原口令相同").waitFor();
  await window.getByRole("button", { name: "取消" }).click();
  assert.equal(await changing.ended, "denied");
}, { log: [`${SITE} change-pin denied`], pages: 1 });

test("no PIN is in what the agent keeps", async () => {
  const kept = b.agent.read("state/operations.log") + b.agent.approvals + b.agent.read("pages.txt");
  assert.match(kept, /"operation":"sign"/);
  for (const pin of [b.agent.world.pin, "not-the-pin", "new-pin-1"]) {
    for (const text of [pin, btoa(pin)]) assert.ok(!kept.includes(text));
  }
});
