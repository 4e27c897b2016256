"""Command line: `init` makes keys and secrets, `serve` runs the outside world, `est` a vendor's CA.

Runs as `python infra/sandbox ...` and, with infra/ on PYTHONPATH, as `python -m sandbox ...`.
"""

import argparse
import asyncio
import sys
from pathlib import Path

if not __package__:
    # Started by its folder: Python put the folder itself first on the path, the package needs the folder above.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from sandbox.app import serve  # noqa: E402
from sandbox import alipay_keys, clouds, est, wechat_keys  # noqa: E402
from sandbox.keys import Config, NotInitialised, init  # noqa: E402

DEFAULT_SMTP_PORT = 4625
DEFAULT_PORT = 4600
DEFAULT_EST_PORT = 4630


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return number


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)

    make = commands.add_parser(
        "init", help="make fresh keys: DIR/secrets.json for the platform, DIR/config.json for serve"
    )
    make.add_argument("--dir", type=Path, required=True, help="folder for the two files")
    make.add_argument(
        "--smtp-port", type=port, default=None, help=f"written into the secrets (default {DEFAULT_SMTP_PORT})"
    )
    make.add_argument("--sms", choices=clouds.PROVIDERS, default=None, help="who sends SMS (default aliyun)")
    make.add_argument(
        "--identity", choices=clouds.PROVIDERS, default=None, help="who checks persons (default aliyun)"
    )
    make.add_argument("--force", action="store_true", help="replace keys that exist")
    make.add_argument(
        "--wechat", choices=wechat_keys.MODES, help=f"mode of WeChat Pay (default {wechat_keys.DEFAULT_MODE})"
    )
    make.add_argument(
        "--alipay", choices=alipay_keys.MODES, help=f"mode of Alipay (default {alipay_keys.DEFAULT_MODE})"
    )

    run = commands.add_parser("serve", help="run until SIGTERM or SIGINT")
    run.add_argument("--dir", type=Path, required=True, help="folder that init filled")
    run.add_argument("--port", type=port, default=DEFAULT_PORT, help="HTTP port; 0 takes a free one")
    run.add_argument("--smtp-port", type=port, default=None, help="mail port (default: the one in the secrets)")

    vendor = commands.add_parser("est", help="run a vendor's CA that speaks EST until SIGTERM or SIGINT")
    vendor.add_argument("--dir", type=Path, required=True, help="folder for its TLS test keys and its root")
    vendor.add_argument("--port", type=port, default=DEFAULT_EST_PORT, help="HTTPS port; 0 takes a free one")
    vendor.add_argument("--years", type=int, default=1, help="how long its certificates are valid")
    vendor.add_argument("--fault", action="append", default=[], metavar="NAME[=COUNT]", help=", ".join(est.FAULTS))
    return parser.parse_args()


def main() -> int:
    args = arguments()
    if args.command == "init":
        made = init(
            args.dir,
            args.smtp_port,
            DEFAULT_SMTP_PORT,
            force=args.force,
            wechat=args.wechat,
            alipay=args.alipay,
            sms=args.sms,
            identity=args.identity,
        )
        print(f"sandbox {'made fresh keys' if made else 'keeps the keys'} in {args.dir}", flush=True)
        return 0
    if args.command == "est":
        try:
            asyncio.run(est.serve(args.dir, args.port, args.fault, args.years))
        except (OSError, ValueError) as reason:
            print(f"sandbox: {reason}", file=sys.stderr)
            return 1
        return 0
    try:
        config = Config.load(args.dir)
    except NotInitialised as reason:
        print(f"sandbox: {reason}", file=sys.stderr)
        return 2
    smtp_port = config.smtp_port if args.smtp_port is None else args.smtp_port
    try:
        asyncio.run(serve(config, args.port, smtp_port))
    except OSError as reason:
        print(f"sandbox: cannot listen: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
