import assert from "node:assert/strict";
import { EVIL, attack, bench } from "./support/bench.js";
const b = bench();
attack(b, "trial", async () => {
  const evil = await b.open(`${EVIL}/`);
  const seen = await b.asked(() => evil.evaluate(async (u) => { try { return await (await fetch(u + "/v1/status", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" })).text(); } catch (e) { return String(e); } }, b.agent.origin));
  console.log(seen.result, seen.lines);
});
