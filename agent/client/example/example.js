// The example page: one button for each thing that a site asks for.
import { Agent, AgentError, readLoginStatement, toBase64 } from "../dist/index.js";

const AUDIENCE = "证书助手示例";
const result = document.getElementById("result");
const show = (value) => { result.textContent = typeof value === "string" ? value : JSON.stringify(value, null, 2); };
const connect = () => Agent.connect({ onPairing: () => show("请在证书助手页面上确认连接……") });

// A real site lets its server draw the nonce, use it up, and verify the answer with the certificate.
async function login(agent) {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const { statement, signature } = await agent.login({ audience: AUDIENCE, nonce });
  const said = readLoginStatement(statement, { origin: location.origin, audience: AUDIENCE, nonce, now: new Date() });
  return { said, signature: toBase64(signature) };
}

const message = () => document.getElementById("message").value;
const actions = {
  connect: (agent) => agent.status(),
  tokens: (agent) => agent.tokens(),
  login,
  sign: async (agent) => toBase64((await agent.sign(message())).signature),
  "sign-cms": async (agent) => toBase64((await agent.signCms(message(), "attached")).cms),
  "change-pin": async (agent) => { await agent.changePin(); return "口令已修改"; },
};

for (const [id, action] of Object.entries(actions)) {
  document.getElementById(id).addEventListener("click", async () => {
    try {
      show("请稍候……");
      const agent = await connect();
      show("请在证书助手页面上操作……");
      show(await action(agent));
    } catch (error) {
      show(error instanceof AgentError ? `${error.title}\n${error.detail}` : String(error));
    }
  });
}
