// Stands between the browser and the agent and passes every byte on as it is, so that a test can say what the agent was asked and what it
// answered, also where the browser tells nobody. The browser is told to connect here for the agent's address; its `Host` stays the agent's.
import { connect, createServer } from "node:net";

const HEAD_END = Buffer.from("\r\n\r\n");

export class Tap {
  /** What was asked, in its order: method, path, headers, body; and status and body of the answer, once there is one. */
  calls = [];
  #server;
  #sockets = new Set();

  static async start(port) {
    const tap = new Tap();
    tap.#server = createServer((browser) => tap.#pass(browser, port));
    await new Promise((resolve) => tap.#server.listen(0, "127.0.0.1", resolve));
    return tap;
  }

  get port() {
    return this.#server.address().port;
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(browser, port) {
    const agent = connect(port, "127.0.0.1");
    const open = [];
    const asked = new Messages((head, body) => {
      const [method, path] = head.line.split(" ");
      const call = { method, path, headers: head.headers, body: body.toString() };
      open.push(call);
      this.calls.push(call);
    });
    const answered = new Messages((head, body) => {
      const call = open.shift();
      if (call !== undefined) Object.assign(call, { status: Number(head.line.split(" ")[1]), answer: body.toString() });
    });
    for (const [from, to, messages] of [[browser, agent, asked], [agent, browser, answered]]) {
      this.#sockets.add(from);
      // First what is seen, then what is passed on: who has an answer finds it here.
      from.on("data", (bytes) => {
        messages.add(bytes);
        to.write(bytes);
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        to.destroy();
        this.#sockets.delete(from);
      });
    }
  }
}

/** Cuts a stream of HTTP/1.1 messages with stated lengths. */
class Messages {
  #rest = Buffer.alloc(0);
  #each;

  constructor(each) {
    this.#each = each;
  }

  add(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const end = this.#rest.indexOf(HEAD_END);
      if (end < 0) return;
      const [line, ...fields] = this.#rest.subarray(0, end).toString("latin1").split("\r\n");
      const headers = Object.fromEntries(fields.map((field) => {
        const colon = field.indexOf(":");
        return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
      }));
      const start = end + HEAD_END.length;
      const length = Number(headers["content-length"] ?? 0);
      if (this.#rest.length < start + length) return;
      const body = this.#rest.subarray(start, start + length);
      this.#rest = this.#rest.subarray(start + length);
      this.#each({ line, headers }, body);
    }
  }
}
