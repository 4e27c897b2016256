/** Why a call did not give what was asked. */

/** A refusal of the agent, or `no-agent` where none answered. */
export class AgentError extends Error {
  /** Stable, for programs: `no-ukey`, `several-ukeys`, `denied`, `timed-out`, `pin-locked`, `busy`, … */
  readonly code: string;
  /** For people, in Chinese. */
  readonly title: string;
  /** For people and developers, in English. */
  readonly detail: string;
  /** The HTTP status; 0 where nobody answered. */
  readonly status: number;

  constructor(code: string, title: string, detail: string, status: number) {
    super(`${title} (${code})`);
    this.name = "AgentError";
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.status = status;
  }

  /** From the agent's problem document (RFC 9457). */
  static of(status: number, problem: unknown): AgentError {
    const field = (name: string): string => {
      const value = typeof problem === "object" && problem !== null ? (problem as Record<string, unknown>)[name] : undefined;
      return typeof value === "string" ? value : "";
    };
    const code = field("type").replace(/^urn:yinxin:agent:/, "");
    return new AgentError(code || "unintelligible", field("title") || "证书助手的回答无法识别", field("detail"), status);
  }

  /** Nobody answered: the agent does not run, or the browser did not let the call through. */
  static none(): AgentError {
    return new AgentError("no-agent", "未检测到证书助手，请先安装并启动", "no agent answered on this computer", 0);
  }
}
