// Who is asked about by the agent's page, how often, and what a site has before the holder has said yes.
import assert from "node:assert/strict";

import { CONTRACT, EVIL, SITE, UNREADABLE, attack, attempt, bench, json } from "./support/bench.js";

const b = bench();
const api = (name) => `${b.agent.origin}/v1/${name}`;

attack(b, "a stranger who asks again and again opens no flood of windows", async () => {
  const page = await b.open(`${EVIL}/`);
  const asking = [];
  for (let round = 0; round < 3; round += 1) {
    asking.push(attempt(page, api("pairing"), json()));
    const window = await b.window();
    assert.match(await window.locator("p.origin").textContent(), /https:\/\/evil\.example/);
    await window.getByRole("button", { name: "拒绝" }).click();
    assert.equal((await asking.at(-1)).status, 403);
    await window.close();
  }
  assert.equal((await attempt(page, api("pairing"), json())).status, 429);
}, { log: Array(3).fill(`${EVIL} pairing denied`), pages: 3 });

attack(b, "what is denied stays denied: a stranger who was refused gets no token", async () => {
  const page = await b.open("https://fourth.example/");
  await b.permit("https://fourth.example");
  const asking = attempt(page, api("pairing"), json());
  const window = await b.window();
  await window.getByRole("button", { name: "拒绝" }).click();
  const refused = await asking;
  assert.equal(refused.status, 403);
  assert.doesNotMatch(refused.text, /token/);
  assert.deepEqual(await attempt(page, api("tokens"), json()), UNREADABLE);
}, { log: ["https://fourth.example pairing denied"], pages: 1 });

attack(b, "the site's own text never stands in for its address when it asks to be approved", async () => {
  const page = await b.open("https://fifth.example/");
  await b.permit("https://fifth.example");
  const { result } = await b.asked(() => attempt(page, api("pairing"), json({ name: CONTRACT, origin: SITE })));
  assert.equal(result.status, 400);
});
