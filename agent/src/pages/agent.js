// The script of the agent's own pages: exchanges the code in the address for a session, shows what the agent sends, and
// brings back what the holder types. The session key stays in this window and travels in a header, never in a cookie.
const KEY = "session";
const LOOK_AGAIN_MS = 1000;
const HOLD_BACK_MS = 1000;
const view = document.getElementById("view");
const problem = document.getElementById("problem");
let shown = "";
let timer = 0;
let asked = 0;
let until = 0;
let change = null;

async function post(path, body, signal) {
  const headers = { "content-type": "application/json" };
  const key = sessionStorage.getItem(KEY);
  if (key !== null) headers["yinxin-page"] = key;
  const answer = await fetch(path, {
    method: "POST", headers, body: JSON.stringify(body),
    cache: "no-store", credentials: "omit", redirect: "error", signal,
  });
  const value = await answer.json();
  if (answer.ok) return value;
  const error = new Error(`${value.title} ${value.detail}`);
  error.session = answer.status === 401;
  throw error;
}

function closed() {
  clearTimeout(timer);
  change?.abort();
  sessionStorage.removeItem(KEY);
  shown = "";
  view.replaceChildren(document.getElementById("closed").content.cloneNode(true));
}

function say(error) {
  if (error.session) closed();
  problem.textContent = error.message;
  problem.hidden = false;
}

// The agent escapes everything that it did not write itself, and the page's policy runs no script from here. The same HTML
// again is left alone: somebody may be typing in it.
function show({ html, live, seconds, plugs }) {
  clearTimeout(timer);
  change?.abort();
  if (html !== shown) {
    view.innerHTML = html;
    shown = html;
    view.querySelector("input")?.focus();
    holdBack(view.querySelector("button[data-action=approve]"));
  }
  until = Date.now() + seconds * 1000;
  if (live) timer = setTimeout(look, LOOK_AGAIN_MS);
  if (plugs !== undefined) awaitChange(plugs);
}

// The overview is made anew when a UKey is plugged in or pulled out.
async function awaitChange(plugs) {
  const waiting = change = new AbortController();
  try {
    for (;;) {
      const { changed } = await post("/page/changed", { plugs }, waiting.signal);
      if (changed) break;
    }
  } catch (error) {
    if (waiting.signal.aborted) return;
    if (error.session) return say(error);
    // The agent ended, or starts again.
    await new Promise((resolve) => { setTimeout(resolve, LOOK_AGAIN_MS); });
  }
  if (!waiting.signal.aborted) await look();
}

// A window that opens under a moving hand must not be pressed by the second half of a double click.
function holdBack(button) {
  if (button === null) return;
  button.disabled = true;
  setTimeout(() => { button.disabled = false; }, HOLD_BACK_MS);
}

async function call(path, body) {
  clearTimeout(timer);
  const turn = ++asked;
  problem.hidden = true;
  for (const element of view.querySelectorAll("button, input")) element.disabled = true;
  try {
    const value = await post(path, body);
    if (value.html !== undefined && turn === asked) show(value);
  } catch (error) {
    say(error);
    if (!error.session) timer = setTimeout(look, LOOK_AGAIN_MS);
  } finally {
    for (const element of view.querySelectorAll("button, input")) element.disabled = false;
  }
}

async function look() {
  const turn = asked;
  try {
    const value = await post("/page/view", {});
    if (turn === asked) show(value);
  } catch (error) {
    say(error);
  }
}

// PINs are ASCII; anything else is refused here, where the holder sees it.
function encoded(text) {
  if (!/^[\x21-\x7e]*$/.test(text)) throw new Error("口令只能由字母、数字和符号组成 A PIN is made of letters, digits and signs");
  return btoa(text);
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button[data-action]") : null;
  // Not every browser keeps a click on the words of a disabled button to itself.
  if (button === null || button.disabled) return;
  const { action, form, origin } = button.dataset;
  if (action === "revoke") call("/page/revoke", { origin });
  else if (["approve", "deny", "cancel"].includes(action)) call(`/page/${action}`, { form });
  else if (["overview", "change-pin"].includes(action)) call(`/page/${action}`, {});
  else if (action === "knock") call("/page/knock", {});
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  try {
    const body = { form: form.dataset.form };
    for (const input of form.querySelectorAll("input[type=password]")) {
      body[input.name] = encoded(input.value);
      input.value = "";
    }
    call("/page/enter", body);
  } catch (error) {
    say(error);
  }
});

setInterval(() => {
  const left = document.getElementById("seconds");
  if (left !== null) left.textContent = String(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
}, 250);

async function start() {
  const code = location.hash.slice(1);
  if (code !== "") {
    history.replaceState(null, "", "/");
    sessionStorage.removeItem(KEY);
    try {
      const { key } = await post("/page/open", { code });
      sessionStorage.setItem(KEY, key);
    } catch (error) {
      say(error);
      closed();
      return;
    }
  }
  if (sessionStorage.getItem(KEY) === null) closed();
  else await look();
}

addEventListener("hashchange", start);
await start();
