// The sandbox page: reads what happened every two seconds; values only ever become text, never markup.
"use strict";

const REFRESH_MS = 2000;
const PROVIDER = { alipay: "支付宝", wechat: "微信支付" };
const TRADE_STATUS = {
  WAIT_BUYER_PAY: "待付款",
  TRADE_SUCCESS: "已支付",
  TRADE_FINISHED: "已完结",
  TRADE_CLOSED: "已关闭",
  NOTPAY: "待付款",
  SUCCESS: "已支付",
  REFUND: "转入退款",
  CLOSED: "已关闭",
};
const MEMO_STATUS = {
  PENDING: "处理中",
  SUCCESS: "已到账",
  FAILED: "失败",
  RETURNED: "退汇",
  UNKNOWN: "未知",
};

function time(text) {
  return new Date(text).toLocaleString("zh-CN", { hour12: false });
}

// Which values are on show; a table that did not change is left alone, so that text in it stays selected.
const shown = new Map();

function fill(id, rows, columns) {
  const key = JSON.stringify(rows);
  if (shown.get(id) === key) return;
  shown.set(id, key);
  const lines = rows.toReversed().map((row) => {
    const line = document.createElement("tr");
    for (const cell of row) {
      const box = document.createElement("td");
      if (cell !== null && typeof cell === "object") box.append(payButton(cell));
      else box.textContent = cell ?? "";
      line.append(box);
    }
    return line;
  });
  if (lines.length === 0) {
    const line = document.createElement("tr");
    const box = document.createElement("td");
    box.colSpan = columns;
    box.className = "empty";
    box.textContent = "暂无";
    line.append(box);
    lines.push(line);
  }
  document.getElementById(id).replaceChildren(...lines);
}

function payButton({ provider, number }) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "扫码支付";
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const answer = await fetch(`/control/${provider}/pay`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ out_trade_no: number, retry: true }),
      });
      if (!answer.ok) say((await answer.json()).error);
    } catch (reason) {
      say(String(reason));
    } finally {
      button.disabled = false;
    }
    await refresh();
  });
  return button;
}

function notified(trade) {
  return trade.notifications
    .map((one) => {
      const last = one.deliveries.at(-1);
      const answer = last ? (last.error ?? `${last.status} ${last.body.slice(0, 40)}`) : "发送中";
      return `${one.trade_status} ×${one.deliveries.length}：${answer}`;
    })
    .join("\n");
}

function tradeRow(trade) {
  // WeChat Pay has an order before anybody scans its code; Alipay has no trade yet.
  const unscanned = trade.status === null || (trade.status === "NOTPAY" && !trade.scanned);
  const alive = new Date(trade.scan_by) > new Date();
  const payable = trade.status === "WAIT_BUYER_PAY" || ((trade.status === null || trade.status === "NOTPAY") && alive);
  const status = unscanned ? (alive ? "待扫码" : "二维码已失效") : TRADE_STATUS[trade.status];
  return [
    PROVIDER[trade.provider],
    trade.out_trade_no,
    trade.subject,
    trade.amount,
    status,
    trade.refunded === "0.00" ? "" : trade.refunded,
    notified(trade),
    payable ? { provider: trade.provider, number: trade.out_trade_no } : "",
  ];
}

function say(text) {
  document.getElementById("state").textContent = text;
}

async function refresh() {
  const [messages, trades] = await Promise.all(
    ["/messages.json", "/trades.json"].map(async (path) => {
      const answer = await fetch(path);
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
      return answer.json();
    }),
  );
  fill("trades", trades.trades.map(tradeRow), 8);
  fill("sms", messages.sms.map((sms) => [time(sms.at), sms.to, `【${sms.sign}】${sms.text}`, sms.template]), 4);
  fill(
    "mail",
    messages.mail.map((mail) => [
      time(mail.at),
      mail.to,
      mail.subject,
      mail.text,
      mail.attachments.map((file) => `${file.name}（${file.size} 字节）`).join("\n"),
    ]),
    5,
  );
  fill(
    "memos",
    messages.memos.map((memo) => [
      time(memo.at),
      memo.out_biz_no,
      memo.payee_name,
      memo.payee_account,
      memo.memo,
      MEMO_STATUS[memo.status] ?? memo.status,
    ]),
    6,
  );
}

async function keepFresh() {
  try {
    await refresh();
    say("自动刷新中");
  } catch (reason) {
    say(`沙箱没有应答：${reason.message}`);
  }
  setTimeout(keepFresh, REFRESH_MS);
}

keepFresh();
