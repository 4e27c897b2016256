"""Deploys infra/template.yaml to the local cloud: packages the built functions, creates or updates the stack, waits.

Prints the stack's outputs as one JSON object on stdout and says what it does on stderr. Refuses any endpoint that is not this
machine, so that no environment variable can send a local build to an account.
"""

import argparse
import hashlib
import io
import json
import pathlib
import re
import sys
import time
import zipfile

import yaml
from botocore.exceptions import BotoCoreError, ClientError

import local

ARTIFACTS = "local-artifacts"
CODE_URI = re.compile(r"(CodeUri:\s*)\.\./target/lambda/([\w-]+)")
POLL_SECONDS = 0.1
DEPLOY_LIMIT_SECONDS = 300
# A stack in one of these states takes no update: it is deleted and made again.
BROKEN = {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"}
DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def package(s3, template, binaries):
    """Uploads every function under the hash of its content; answers the template with CodeUri pointing there."""
    s3.create_bucket(Bucket=ARTIFACTS)
    present = set(local.pages(s3, "list_objects_v2", "Contents", "Key", Bucket=ARTIFACTS))
    uploaded = []

    def upload(match):
        name = match[2]
        binary = binaries / name
        if not binary.is_file():
            sys.exit(f"{binary} is missing: build the functions first (cargo build --profile local --workspace --bins)")
        code = binary.read_bytes()
        key = f"{name}-{hashlib.sha256(code).hexdigest()[:32]}.zip"
        if key not in present:
            s3.put_object(Bucket=ARTIFACTS, Key=key, Body=zipped(code))
            uploaded.append(name)
        return f"{match[1]}s3://{ARTIFACTS}/{key}"

    result = CODE_URI.sub(upload, template)
    say(f"uploaded {', '.join(uploaded)}" if uploaded else "no function has changed")
    return result


def zipped(code):
    """A zip with one executable file named bootstrap. Stored, not compressed: it travels over the loopback interface."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, code)
    return buffer.getvalue()


def describe(cloudformation, stack):
    """The stack's description, or None when there is no such stack."""
    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def settled(cloudformation, stack):
    """Waits until the stack is in no transition."""
    deadline = time.monotonic() + DEPLOY_LIMIT_SECONDS
    while time.monotonic() < deadline:
        found = describe(cloudformation, stack)
        if found is None or not found["StackStatus"].endswith("IN_PROGRESS"):
            return found
        time.sleep(POLL_SECONDS)
    sys.exit(f"stack {stack} is still in progress after {DEPLOY_LIMIT_SECONDS} s")


def apply(cloudformation, stack, template_url, parameters):
    """Creates or updates the stack and answers its description."""
    found = settled(cloudformation, stack)
    if found and found["StackStatus"] in BROKEN:
        say(f"stack {stack} is {found['StackStatus']}: making it again")
        cloudformation.delete_stack(StackName=stack)
        found = settled(cloudformation, stack)
        if found and found["StackStatus"] != "DELETE_COMPLETE":
            fail(cloudformation, stack, found)
    if found and found["StackStatus"] == "DELETE_COMPLETE":
        found = None
    arguments = {
        "StackName": stack,
        "TemplateURL": template_url,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    }
    try:
        (cloudformation.update_stack if found else cloudformation.create_stack)(**arguments)
    except ClientError as error:
        if "No updates" not in str(error):
            raise
        say("the stack is up to date")
        return found
    found = settled(cloudformation, stack)
    if not found or found["StackStatus"] not in DONE:
        fail(cloudformation, stack, found)
    return found


def fail(cloudformation, stack, found):
    """Ends the program with the reasons of the failure, the first one first."""
    status = found["StackStatus"] if found else "gone"
    say(f"stack {stack} is {status}")
    events = local.pages(cloudformation, "describe_stack_events", "StackEvents", StackName=stack)
    for event in reversed(list(events)):
        if "FAILED" in event["ResourceStatus"]:
            say(f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}")
    sys.exit(1)


def enable_expiry(dynamodb, template, stack_resources):
    """MiniStack ignores TimeToLiveSpecification in templates; its API takes it."""
    for name, resource in template["Resources"].items():
        wanted = resource.get("Properties", {}).get("TimeToLiveSpecification")
        if not wanted:
            continue
        table = stack_resources[name]
        current = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if current.get("TimeToLiveStatus") != "ENABLED":
            dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


class Lenient(yaml.SafeLoader):
    """Reads a template without caring for CloudFormation's short tags."""


Lenient.add_multi_constructor("!", lambda loader, _suffix, node: loader.construct_yaml_str(node)
                              if isinstance(node, yaml.ScalarNode) else None)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "template.yaml")
    parser.add_argument("--binaries", type=pathlib.Path, required=True, help="directory with one executable per function")
    parser.add_argument("--stack", default=local.STACK)
    parser.add_argument("-p", "--parameter", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    clients = local.Clients()
    template = arguments.template.read_text()
    s3, cloudformation = clients("s3"), clients("cloudformation")
    s3_key = "template.yaml"
    packaged = package(s3, template, arguments.binaries)
    s3.put_object(Bucket=ARTIFACTS, Key=s3_key, Body=packaged.encode())
    parameters = {"Env": "local"} | dict(pair.split("=", 1) for pair in arguments.parameter)
    stack = apply(cloudformation, arguments.stack, f"{clients.endpoint}/{ARTIFACTS}/{s3_key}", parameters)
    resources = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in local.pages(cloudformation, "list_stack_resources", "StackResourceSummaries", StackName=arguments.stack)
    }
    enable_expiry(clients("dynamodb"), yaml.load(template, Lenient), resources)
    print(json.dumps({output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}, indent=1))


if __name__ == "__main__":
    try:
        main()
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"deploy: {error}")
