"""Prints the CloudFormation that the SAM translator makes of template.yaml, as JSON, for the tests of
internal/dev/template. It runs in the SAM CLI's own environment: make rendered.

    render.py TEMPLATE [NAME=VALUE ...]

With values, each parameter is given to the translator as CloudFormation gives it: as a text, a number's default too."""

import hashlib
import json
import logging
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator asks for one, and calls nobody

from samcli.yamlhelper import yaml_parse
import samtranslator.model.apigateway as apigateway
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """The roles are written out, so that no managed policy is ever looked up."""

    def load(self):
        return {}


class StandingClock:
    """AlwaysDeploy names each deployment by the time. The file is compared byte by byte."""

    @staticmethod
    def time():
        return 0


logging.disable(logging.WARNING)  # features that nobody asked for
apigateway.time = StandingClock
source = open(sys.argv[1], "rb").read()
template = yaml_parse(source.decode())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":  # what "sam package" puts in CodeUri's place
        resource.setdefault("Properties", {})["CodeUri"] = "s3://bucket/key"
template["Globals"]["Function"].pop("CodeUri")
values = dict(pair.split("=", 1) for pair in sys.argv[2:])
unknown = values.keys() - template["Parameters"].keys()
if unknown:
    sys.exit(f"{sys.argv[1]} has no parameter {', '.join(sorted(unknown))}")
if values:
    values = {name: str(p.get("Default", "")) for name, p in template["Parameters"].items()} | values
rendered = transform(template, values, NoManagedPolicies())
rendered["Metadata"] = {"SHA256OfTemplate": hashlib.sha256(source).hexdigest()}
json.dump(rendered, sys.stdout, indent=1, sort_keys=True)
print()
