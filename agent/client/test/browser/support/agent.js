// The agent as a program, with a software UKey that has certificates and a platform whose tickets it trusts.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** Longest wait for a page that the agent opens. */
const PATIENCE_MS = 20_000;
const LOOK_AGAIN_MS = 10;

/** The program under test; `cargo xtask test` names it. */
export const PROGRAM = process.env.YINXIN_AGENT;

export class Agent {
  /** What `browser_world` says: serial, pin, tries, holder, secret. */
  world;
  directory;
  port;
  #child;
  #pagesRead = 0;

  static async start() {
    const agent = new Agent();
    agent.directory = mkdtempSync(join(tmpdir(), "yinxin-browser-"));
    mkdirSync(agent.file("plugged"), { mode: 0o700 });
    const environment = { ...process.env, YINXIN_SOFTSKF_DIR: agent.file("plugged") };
    for (const name of Object.keys(environment)) if (/^YINXIN_(TOKEN|API|PORTAL|AGENT)/.test(name)) delete environment[name];
    const make = join(dirname(PROGRAM), "examples", "browser_world");
    agent.world = JSON.parse(execFileSync(make, [agent.directory], { env: environment, encoding: "utf8" }));
    copyFileSync(agent.#token, agent.file("token.kept"));
    const serve = ["serve", "--port", "0", "--profile", "softskf", "--state", "state", "--print-pages", "pages.txt", "--open", "--json",
      "--platform-certificates", "platform.pem", "--portal", "https://site.example/portal"];
    agent.#child = spawn(PROGRAM, serve, { cwd: agent.directory, env: environment, stdio: ["ignore", "pipe", "inherit"] });
    const [first] = await agent.#child.stdout.take(1).toArray();
    agent.port = JSON.parse(first).listening.port;
    return agent;
  }

  /** Its own origin. */
  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  file(name) {
    return join(this.directory, name);
  }

  read(name, encoding = "utf8") {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), encoding) : "";
  }

  /** Addresses of the windows that it wanted opened so far. */
  get pages() {
    return this.read("pages.txt").split("\n").slice(0, -1);
  }

  /** The next of these addresses. */
  async nextPage() {
    for (const begun = Date.now(); this.pages.length <= this.#pagesRead; await wait(LOOK_AGAIN_MS)) {
      if (Date.now() - begun > PATIENCE_MS) throw new Error("the agent opens no page");
    }
    return this.pages[this.#pagesRead++];
  }

  /** Does as if nobody had wanted the windows that nobody has opened. */
  passOverPages() {
    this.#pagesRead = this.pages.length;
  }

  /** Its log: who, what, how it ended. */
  get log() {
    return this.read("state/operations.log").split("\n").slice(0, -1).map((line) => {
      const { origin, operation, outcome } = JSON.parse(line);
      return `${origin ?? "holder"} ${operation} ${outcome}`;
    });
  }

  get approvals() {
    return this.read("state/approved-sites.json");
  }

  /** What the program says of a file, offline, when it trusts the CAs of the UKey's certificates. */
  verify(name) {
    mkdirSync(this.file("trust"), { recursive: true });
    copyFileSync(this.file("chain.pem"), this.file("trust/chain.pem"));
    const done = spawnSync(PROGRAM, ["verify", name, "--trust", "trust", "--json"], { cwd: this.directory, encoding: "utf8" });
    return JSON.parse(done.stdout);
  }

  /** Puts the UKey back as it was at first. */
  restoreToken() {
    writeFileSync(this.#token, readFileSync(this.file("token.kept")), { mode: 0o600 });
  }

  async stop() {
    if (this.#child?.exitCode === null) {
      const ended = new Promise((resolve) => this.#child.once("exit", resolve));
      this.#child.kill();
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  get #token() {
    return join(this.file("plugged"), `${this.world.serial}.softskf`);
  }
}
