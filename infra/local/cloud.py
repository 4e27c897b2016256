"""Looks into the running local cloud and disturbs it on purpose: for tests and for people. Every command prints JSON on stdout.

The stack is the one of AWS_ENDPOINT_URL, or of the state file that YINXIN_STATE names (default target/local/state.json).
"""

import argparse
import base64
import decimal
import json
import os
import pathlib
import signal
import sys
import time

from boto3.dynamodb.types import Binary, TypeDeserializer

import local
import redelivery

FUNCTIONS = (
    "submit", "upload", "payment", "review", "personalise", "issue", "invoice", "courier", "notify", "query", "status", "relay", "sweep")
DLQS = ("issue", "notify", "payment", "invoice", "courier", "relay")
MAPPING_LIMIT_SECONDS = 30


def logs(clients, arguments):
    """Log lines since a time in milliseconds, oldest first."""
    found = []
    for function in [arguments.function] if arguments.function else FUNCTIONS:
        group = f"/aws/lambda/{local.STACK}-{function}"
        for event in local.pages(clients("logs"), "filter_log_events", "events", logGroupName=group, startTime=arguments.since):
            found.append({"function": function, "at": event["timestamp"], "message": event["message"].rstrip("\n")})
    return sorted(found, key=lambda line: line["at"])


def put_secrets(clients, arguments):
    """Fills the providers' secrets from a file {"alipay": {...}, "sms": {...}, ...}."""
    for name, value in json.loads(arguments.file.read_text()).items():
        clients("secretsmanager").put_secret_value(SecretId=secret_id(clients, name), SecretString=json.dumps(value))
        yield name


def get_secret(clients, arguments):
    """The value of one secret, decoded when it is JSON."""
    text = clients("secretsmanager").get_secret_value(SecretId=secret_id(clients, arguments.name))["SecretString"]
    try:
        return json.loads(text)
    except ValueError:
        return text


def secret_id(clients, name):
    key = f"{name.capitalize()}SecretId"
    return clients.outputs.get(key) or sys.exit(f"there is no secret {name!r}: the stack has no output {key}")


def mappings(clients, arguments):
    """Switches the queues' event source mappings (with --relay also the stream's) and waits until they are."""
    wanted = {"on": "Enabled", "off": "Disabled"}[arguments.switch]
    names = [*redelivery.QUEUES, "relay"] if arguments.relay else redelivery.QUEUES
    client = clients("lambda")
    for name in names:
        for mapping in client.list_event_source_mappings(FunctionName=f"{local.STACK}-{name}")["EventSourceMappings"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=arguments.switch == "on")
            deadline = time.monotonic() + MAPPING_LIMIT_SECONDS
            while client.get_event_source_mapping(UUID=mapping["UUID"])["State"] != wanted:
                if time.monotonic() > deadline:
                    sys.exit(f"the mapping of {name} is not {wanted} after {MAPPING_LIMIT_SECONDS} s")
                time.sleep(0.1)
    return {"mappings": list(names), "state": wanted}


def redeliver(clients, _arguments):
    """Delivers every effect and every message twice and in reverse order. Switch the mappings off before."""
    return redelivery.run(clients)


def idle(clients, arguments):
    """Waits until no queue has a message, waiting or in flight."""
    deadline = time.monotonic() + arguments.seconds
    while True:
        counts = redelivery.waiting(clients)
        if not any(counts.values()):
            return {"idle": True}
        if time.monotonic() > deadline:
            print(json.dumps({"idle": False, "messages": counts}))
            sys.exit(1)
        time.sleep(0.2)


def kill_workers(clients, arguments):
    """Kills the functions' processes, and nothing else: they are children of MiniStack that run a bootstrap file."""
    pid = arguments.pid or clients.state.get("pids", {}).get("ministack")
    if not pid:
        sys.exit("which MiniStack? Give --pid or a state file")
    killed = []
    for child in descendants(int(pid)):
        if any(pathlib.Path(word).name == "bootstrap" for word in command(child)):
            os.kill(child, signal.SIGKILL)
            killed.append(child)
    return {"killed": killed}


def descendants(pid):
    """The ids of all processes under a process."""
    try:
        children = [int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                    for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return children + [deeper for child in children for deeper in descendants(child)]


def command(pid):
    """The words of a process's command line."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def invoke(clients, arguments):
    """Invokes a function with a JSON payload and waits for its answer."""
    answer = clients("lambda").invoke(FunctionName=f"{local.STACK}-{arguments.function}", Payload=arguments.payload.encode())
    return {"error": answer.get("FunctionError"), "payload": json.loads(answer["Payload"].read() or b"null")}


def set_env(clients, arguments):
    """Gives a function a variable of its environment, or takes it away; the function starts anew."""
    client, name = clients("lambda"), f"{local.STACK}-{arguments.function}"
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    variables.pop(arguments.name, None)
    if arguments.value is not None:
        variables[arguments.name] = arguments.value
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    return {"function": arguments.function, "variables": sorted(variables)}


def dlq(clients, _arguments):
    """How many messages each dead-letter queue holds."""
    return {name: redelivery.count(clients, clients.outputs[f"{name.capitalize()}DlqUrl"]) for name in DLQS}


def redrive(clients, arguments):
    """Puts the dead letters of a queue back into it."""
    return {"moved": redelivery.redrive(clients, arguments.queue)}


def objects(clients, arguments):
    """The keys of the documents bucket that begin so."""
    return local.pages(
        clients("s3"), "list_objects_v2", "Contents", "Key", Bucket=clients.outputs["DocumentsBucket"], Prefix=arguments.prefix)


def scan_orders(clients, arguments):
    """All items of the orders table, or those of one kind."""
    plain = TypeDeserializer().deserialize
    for item in local.pages(clients("dynamodb"), "scan", "Items", TableName=clients.outputs["OrdersTable"], ConsistentRead=True):
        item = {name: plain(value) for name, value in item.items()}
        if arguments.kind in (None, item.get("kind")):
            yield item


def encode(value):
    """JSON for what DynamoDB holds beyond JSON."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (Binary, bytes)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, set):
        return sorted(value)
    raise TypeError(f"no JSON for {type(value)}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(run):
        command = commands.add_parser(run.__name__.replace("_", "-"), help=run.__doc__)
        command.set_defaults(run=run)
        return command

    logs_command = add(logs)
    logs_command.add_argument("--since", type=int, default=0, metavar="MS")
    logs_command.add_argument("--function", choices=FUNCTIONS)
    add(put_secrets).add_argument("file", type=pathlib.Path)
    add(get_secret).add_argument("name")
    mappings_command = add(mappings)
    mappings_command.add_argument("switch", choices=("on", "off"))
    mappings_command.add_argument("--relay", action="store_true")
    add(redeliver)
    add(idle).add_argument("--seconds", type=float, default=60)
    add(kill_workers).add_argument("--pid", type=int)
    invoke_command = add(invoke)
    invoke_command.add_argument("function", choices=FUNCTIONS)
    invoke_command.add_argument("--payload", default="{}")
    set_env_command = add(set_env)
    set_env_command.add_argument("function", choices=FUNCTIONS)
    set_env_command.add_argument("name")
    set_env_command.add_argument("value", nargs="?")
    add(dlq)
    add(redrive).add_argument("queue", choices=redelivery.QUEUES)
    add(objects).add_argument("prefix")
    add(scan_orders).add_argument("--kind")
    return parser.parse_args()


def main():
    arguments = parse()
    result = arguments.run(local.Clients(), arguments)
    result = result if isinstance(result, (dict, list, str)) else list(result)
    print(json.dumps(result, default=encode, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
