// The asking sites: one server for all of them, by HTTPS and by HTTP, which tells them apart by their names.
import { readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { extname, join, normalize } from "node:path";

const CLIENT = new URL("../../../", import.meta.url).pathname;
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8" };

export class Sites {
  /** What was asked for: method, host, path. */
  requests = [];
  #pages = new Map();
  #servers;

  static async start({ key, cert }) {
    const sites = new Sites();
    const answer = (request, response) => sites.#answer(request, response);
    sites.#servers = [createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer), createServer(answer)];
    await Promise.all(sites.#servers.map((server) => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))));
    return sites;
  }

  /** Port of https:// sites. */
  get securePort() {
    return this.#servers[0].address().port;
  }

  /** Port of http:// sites. */
  get plainPort() {
    return this.#servers[1].address().port;
  }

  /** Puts a page on every site. */
  put(path, content, headers = {}) {
    this.#pages.set(path, { content, headers: { "content-type": TYPES[".html"], ...headers } });
  }

  /** Every address below this one is answered with a redirect that keeps method and body. */
  redirect(path, to) {
    this.#pages.set(path, { content: "", status: 307, headers: { location: to, ...readable } });
  }

  async stop() {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async #answer(request, response) {
    this.requests.push(`${request.method} ${request.headers.host}${request.url}`);
    const path = new URL(request.url, "https://site.example").pathname;
    if (path === "/") return reply(response, { content: "<!doctype html><title>site</title>", headers: { "content-type": TYPES[".html"] } });
    const page = this.#pages.get(path);
    if (page !== undefined) {
      if (request.method === "OPTIONS") return reply(response, { content: "", headers: readable });
      return reply(response, page);
    }
    const file = normalize(path.endsWith("/") ? `${path}index.html` : path);
    if (!/^\/(dist|example)\/[\w/.-]+$/.test(file)) return reply(response, { status: 404, content: "", headers: {} });
    try {
      return reply(response, { content: await readFile(join(CLIENT, file)), headers: { "content-type": TYPES[extname(file)] ?? "text/plain" } });
    } catch {
      return reply(response, { status: 404, content: "", headers: {} });
    }
  }
}

/** The redirecting site wants its redirect followed from everywhere. */
const readable = {
  "access-control-allow-origin": "*", "access-control-allow-headers": "authorization, content-type", "access-control-allow-methods": "*",
};

function reply(response, { content, headers, status = 200 }) {
  response.writeHead(status, headers);
  response.end(content);
}
