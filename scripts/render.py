"""Prints the CloudFormation that the SAM translator makes of template.yaml, as JSON, for the tests of
internal/template. It runs in the SAM CLI's own environment: make rendered."""

import hashlib
import json
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


apigateway.time = StandingClock
source = open(sys.argv[1], "rb").read()
template = yaml_parse(source.decode())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":  # what "sam package" puts in CodeUri's place
        resource.setdefault("Properties", {})["CodeUri"] = "s3://bucket/key"
template["Globals"]["Function"].pop("CodeUri")
rendered = transform(template, {}, NoManagedPolicies())
rendered["Metadata"] = {"SHA256OfTemplate": hashlib.sha256(source).hexdigest()}
json.dump(rendered, sys.stdout, indent=1, sort_keys=True)
print()
