"""One process, two ports: HTTP for the providers, the control calls and the page; SMTP for mail."""

import asyncio
import ipaddress
import signal
from urllib.parse import urlsplit

from aiohttp import web

from .alipay import Gateway
from .aliyun import Cloud
from .bank import Bank
from .keys import Config
from .kuaidi100 import Kuaidi100
from .nuonuo import Nuonuo
from .page import Page
from .payments import Payments
from .receipts import Receipts
from .smtp import Mailbox
from .state import Misuse, World
from .tencent import Tencent
from .wechat import WechatPay
from .wire import control_body

HOST = "127.0.0.1"
BODY_MAX_BYTES = 1024 * 1024
# The cloud APIs take their parameters in the query, up to a thousand numbers in one of them.
REQUEST_LINE_MAX_BYTES = 64 * 1024
SHUTDOWN_SECONDS = 1.0
PROVIDER_PATHS = ("/alipay/", "/wechat/", "/aliyun", "/tencent", "/bank/", "/nuonuo/", "/kuaidi100/")


class Outside:
    """The outside world with its servers."""

    def __init__(self, world: World):
        self.world = world
        self.bank = Bank(world)
        self.gateway = Gateway(world)
        self.wechat = WechatPay(world)
        self.payments = Payments(self.gateway, self.wechat)
        self.receipts = Receipts(world)
        self.cloud = Cloud(world, self.receipts)
        self.tencent = Tencent(world, self.receipts)
        self.nuonuo = Nuonuo(world)
        self.kuaidi100 = Kuaidi100(world)
        self.page = Page(world, self.bank)
        self.mailbox = Mailbox(world)
        self.port = 0
        self.smtp_port = 0
        self._runner: web.AppRunner | None = None
        self._smtp: asyncio.Server | None = None

    def application(self) -> web.Application:
        app = web.Application(client_max_size=BODY_MAX_BYTES, middlewares=[local_callers_only, misuse_to_json])
        parts = (
            self.gateway,
            self.wechat,
            self.payments,
            self.cloud,
            self.tencent,
            self.receipts,
            self.bank,
            self.nuonuo,
            self.kuaidi100,
            self.page,
        )
        for part in parts:
            app.add_routes(part.routes())
        app.add_routes(
            [
                web.get("/control/faults", self._faults),
                web.post("/control/faults", self._change_faults),
                web.post("/control/reset", self._reset),
            ]
        )
        return app

    async def start(self, port: int, smtp_port: int) -> None:
        self._runner = web.AppRunner(
            self.application(),
            access_log=None,
            shutdown_timeout=SHUTDOWN_SECONDS,
            max_line_size=REQUEST_LINE_MAX_BYTES,
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, port).start()
            self._smtp = await self.mailbox.listen(smtp_port)
        except OSError:
            await self.stop()
            raise
        self.port = self._runner.addresses[0][1]
        self.smtp_port = self._smtp.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        await self.world.stop()
        if self._smtp is not None:
            self._smtp.close()
        await self._runner.cleanup()
        await self.payments.close()
        await self.receipts.close()
        await self.kuaidi100.close()

    async def _faults(self, _request: web.Request) -> web.Response:
        return web.json_response(self.world.faults.values | {"denied": self.world.denied})

    async def _change_faults(self, request: web.Request) -> web.Response:
        self.world.faults.change(await control_body(request, set(self.world.faults.values)))
        return await self._faults(request)

    async def _reset(self, request: web.Request) -> web.Response:
        """Faults and denials end; with {"records": true} everything that was recorded goes too."""
        wish = await control_body(request, {"records"}) if request.can_read_body else {}
        self.world.faults.reset()
        self.world.denied.clear()
        self.bank.reset()
        if wish.get("records") is True:
            for records in (self.world.sms, self.world.mail, self.bank.transfers):
                records.clear()
            self.payments.forget()
            self.nuonuo.invoices.clear()
            self.kuaidi100.forget()
        else:
            self.world.in_background(self.payments.release())
        return await self._faults(request)


@web.middleware
async def local_callers_only(request: web.Request, handler) -> web.StreamResponse:
    """Keeps other websites out of page and control calls, also those that resolve to this machine."""
    if not request.path.startswith(PROVIDER_PATHS) and not _names_this_machine(request.host):
        return web.json_response({"error": "only for this machine"}, status=403)
    if request.method == "POST" and request.path.startswith("/control/"):
        origin = request.headers.get("Origin")
        if origin is not None and not _names_this_machine(urlsplit(origin).netloc):
            return web.json_response({"error": "only for this machine"}, status=403)
    return await handler(request)


@web.middleware
async def misuse_to_json(request: web.Request, handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Misuse as reason:
        return web.json_response({"error": str(reason)}, status=reason.status)


def _names_this_machine(netloc: str) -> bool:
    try:
        host = urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def serve(config: Config, port: int, smtp_port: int) -> None:
    """Runs until SIGTERM or SIGINT."""
    outside = Outside(World(config))
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    await outside.start(port, smtp_port)
    print(f"sandbox ready on http://{HOST}:{outside.port} smtp {outside.smtp_port}", flush=True)
    await done.wait()
    await outside.stop()
