"""infra/template.yaml as the tests read it: as it is written, and as SAM expands it."""

import copy
import functools
import os
import pathlib

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # SAM asks boto3 for a region when it is imported

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

PATH = pathlib.Path(__file__).parents[2] / "template.yaml"
ENVIRONMENTS = ("local", "dev", "prod")
PARAMETERS = {"PublicUrl": "https://ca.example.com", "StatusUrl": "http://status.example.com", "BankUrl": "https://bank.example.com", "Arch": "x86_64", "LogDays": 180}


@functools.cache
def written():
    """The template as it is written."""
    return yaml_parse(PATH.read_text())


class NoManagedPolicies:
    """The roles name no policies of AWS, so the translator has none to look up."""

    def load(self):
        return {}


@functools.cache
def expanded():
    """The template after the SAM transform."""
    template = copy.deepcopy(written())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    return transform(template, PARAMETERS | {"Env": "prod"}, NoManagedPolicies())


def of_type(template, kind):
    """The resources of one type: logical id -> properties."""
    return {name: resource.get("Properties", {}) for name, resource in template["Resources"].items() if resource["Type"] == kind}


def functions():
    return of_type(written(), "AWS::Serverless::Function")


def listed(value):
    return value if isinstance(value, list) else [value]


def target(value):
    """The logical id that an intrinsic function or a built name leads to."""
    if isinstance(value, dict):
        (name, argument), = value.items()
        if name == "Ref":
            return argument
        if name == "Fn::GetAtt":
            return argument[0] if isinstance(argument, list) else argument.split(".")[0]
        if name == "Fn::Sub":
            if "-documents-" in argument:
                return "Documents"
            if "-publications-" in argument:
                return "Publications"
            return argument.removeprefix("${").split("}")[0].split(".")[0]
    raise ValueError(f"what is {value!r}?")


def statements(function):
    """What a function's role allows: pairs of action and resource as written."""
    role = written()["Resources"][target(functions()[function]["Role"])]["Properties"]
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            for action in listed(statement["Action"]):
                for resource in listed(statement["Resource"]):
                    yield action, resource


def allowed(function):
    """What a function's role allows: pairs of action and logical id."""
    return {(action, target(resource)) for action, resource in statements(function)}


def resolve(value, environment):
    """The value of a !FindInMap by environment; other values as they are."""
    if isinstance(value, dict) and "Fn::FindInMap" in value:
        name, _key, member = value["Fn::FindInMap"]
        return written()["Mappings"][name][environment][member]
    return value
