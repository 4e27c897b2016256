// The example page: one button for each thing that a site asks for.
import { Agent, AgentError, fromBase64, readLoginStatement, toBase64 } from "../dist/index.js";

const AUDIENCE = "证书助手示例";
const field = (id) => document.getElementById(id).value;
const result = document.getElementById("result");
const show = (value) => {
  result.textContent = typeof value === "string" ? value : JSON.stringify(value, null, 2);
};

// The agent is looked for on its ten known ports; `?port=` is for one that was started with --port.
const port = new URLSearchParams(location.search).get("port");
const ports = port === null ? {} : { ports: [Number(port)] };

async function connect() {
  return await Agent.connect({ ...ports, onPairing: () => show("请在证书助手页面上允许本网站……") });
}

// What a real site does elsewhere: its server draws the nonce and keeps it with the session, uses it up, and verifies the answer:
// statement, signature, certificate chain, revocation status. Here all of that is the page, which nobody should believe.
async function login(agent) {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const { statement, signature, certificate } = await agent.login({ audience: AUDIENCE, nonce });
  const expected = { origin: location.origin, audience: AUDIENCE, nonce, now: new Date() };
  const said = readLoginStatement(statement, expected);
  return { said, nonce: toBase64(nonce), statement: toBase64(statement), signature: toBase64(signature), certificate: toBase64(certificate) };
}

async function sign(agent) {
  const { signature, certificate } = await agent.sign(field("message"));
  return { signature: toBase64(signature), certificate: toBase64(certificate) };
}

async function signedMessage(agent, content) {
  const { cms } = await agent.signCms(field("message"), content);
  return { cms: toBase64(cms) };
}

async function decrypt(agent, format) {
  const plaintext = await agent.decrypt(fromBase64(field("ciphertext")), format);
  return { plaintext: new TextDecoder().decode(plaintext) };
}

const actions = {
  connect: (agent) => agent.status(),
  tokens: (agent) => agent.tokens(),
  login,
  sign,
  "sign-attached": (agent) => signedMessage(agent, "attached"),
  "sign-detached": (agent) => signedMessage(agent, "detached"),
  decrypt: (agent) => decrypt(agent, "cms"),
  "decrypt-sm2": (agent) => decrypt(agent, "sm2"),
  "change-pin": async (agent) => {
    await agent.changePin();
    return "口令已修改";
  },
};

for (const [id, action] of Object.entries(actions)) {
  document.getElementById(id).addEventListener("click", async () => {
    try {
      show("请稍候……");
      const agent = await connect();
      show("请在证书助手页面上操作……");
      show(await action(agent));
    } catch (error) {
      show(error instanceof AgentError ? `${error.title}\n${error.code} ${error.detail}` : String(error));
    }
  });
}
