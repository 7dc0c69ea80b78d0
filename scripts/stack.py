#!/usr/bin/env python3
"""Creates the stack in an AWS that is not ours, and has partnerctl work on it. make proof-stack calls it.

    .tools/states/bin/python scripts/stack.py RENDERED PARTNERCTL

RENDERED is what CloudFormation gets of template.yaml. moto serves AWS's APIs on loopback, in this process; partnerctl finds
them by the variables that all of AWS's tools know. What moto cannot do is listed below with its reason, and an entry that
is not needed any more fails the proof. What partnerctl has done is looked up in the tables by another client. The last line
says what came of it; exit code 0: all held.
"""
import collections
import datetime
import io
import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import types
import warnings
import zipfile
from importlib import metadata

STACK = "partnerview-proof"
COMMAND_TIMEOUT = 120  # seconds
ATTEMPTS, SLOW = 6, "run the same command again, which is safe"

# What moto does not make, and why the stack is whole for partnerctl all the same.
NOT_MADE = {
    "AWS::ApiGateway::UsagePlan": "moto knows plans by API Gateway's API alone: they are made by that, from the same properties",
    "AWS::Logs::MetricFilter": "moto knows no such resource; it feeds alarms",
    "AWS::S3::BucketPolicy": "moto knows no such resource, and holds nobody to a policy",
    "AWS::SQS::QueuePolicy": "moto knows no such resource, and holds nobody to a policy",
}
# What moto would refuse the whole stack for: it is taken out before.
TAKEN_OUT = {
    "AWS::ApiGateway::Deployment": "moto reads no Body of an API, and refuses to deploy one without methods",
    "AWS::ApiGateway::Stage": "moto knows no such resource, and its deployment is taken out; partnerctl asks for no stage",
}
# Attributes that moto does not know, and another way to the same text.
OTHERWISE = {
    "ImportStateMachine.Arn": "moto knows no Arn of a state machine; its Ref is the same text",
}


class Proof:
    """Counts claims, and says each that does not hold."""

    def __init__(self):
        self.held, self.failed, self.hit = 0, 0, collections.Counter()

    def claim(self, claim, holds, found=""):
        if holds:
            self.held += 1
        else:
            self.failed += 1
            print(f"FAIL  {claim}: {found}")

    def lacks(self, table, key, what):
        """Notes that an entry of a table was needed."""
        self.claim(f"what moto lacks is listed: {what}", key in table, "it is not")
        self.hit[key] += 1

    def told(self, title, reasons):
        """Prints a table, and fails where an entry was not needed."""
        print(title)
        for key, reason in reasons.items():
            print(f"  {self.hit[key]:3} x {key}: {reason}")
            self.claim(f"{key} is still lacking", self.hit[key], "moto has it now: take the entry out")


def prepared(template, plans, proof):
    """The template as moto can take it."""
    kept = {name: r for name, r in template["Resources"].items() if r["Type"] not in TAKEN_OUT}
    for resource in template["Resources"].values():
        if resource["Type"] in TAKEN_OUT:
            proof.hit[resource["Type"]] += 1

    def replaced(value):
        if isinstance(value, list):
            return [replaced(v) for v in value]
        if not isinstance(value, dict):
            return value
        attribute = ".".join(value.get("Fn::GetAtt", ""))
        if attribute in OTHERWISE:
            proof.hit[attribute] += 1
            return {"Ref": value["Fn::GetAtt"][0]}
        if value.get("Ref") in plans:
            return plans[value["Ref"]]  # an output, which partnerctl reads
        return {k: replaced(v) for k, v in value.items()}

    return replaced(template | {"Resources": kept})


def make_plans(template, gateway):
    """Makes the usage plans of the template by API Gateway's API: by logical id, the plan's id."""
    plans, defaults = {}, {name: p.get("Default") for name, p in template["Parameters"].items()}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::ApiGateway::UsagePlan":
            throttle = resource["Properties"]["Throttle"]
            plans[name] = gateway.create_usage_plan(
                name=f"{STACK}-{name}",
                throttle={"rateLimit": float(defaults[throttle["RateLimit"]["Ref"]]), "burstLimit": int(defaults[throttle["BurstLimit"]["Ref"]])},
            )["id"]
    return plans


def create(template, clients, proof):
    """Creates the stack: the physical names of its resources, by logical id."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("bootstrap", "")  # no function is called here
    clients.s3.create_bucket(Bucket="bucket")  # where scripts/render.py says that the code is
    clients.s3.put_object(Bucket="bucket", Key="key", Body=code.getvalue())
    wanted = template["Resources"]
    body = json.dumps(prepared(template, clients.plans, proof), separators=(",", ":"))
    clients.cloudformation.create_stack(StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_IAM"],
                                        Parameters=[{"ParameterKey": "UsagePlans", "ParameterValue": "prepared"}])
    status = clients.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    proof.claim("the stack is created", status == "CREATE_COMPLETE", status)
    made = {}
    for page in clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK):
        made.update({r["LogicalResourceId"]: r["PhysicalResourceId"] for r in page["StackResourceSummaries"]})
    for name, resource in wanted.items():
        if name not in made and resource.get("Condition") in (None, "HasInbox", "HasUsagePlans"):
            if resource["Type"] not in TAKEN_OUT:
                proof.lacks(NOT_MADE, resource["Type"], f"{name}, {resource['Type']}")
    print(f"moto has made {len(made)} of {len(wanted)} resources; the others are optional, or listed below")
    return made


def compare_tables(template, made, dynamodb, proof):
    """Holds each table that was made against the template."""
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::DynamoDB::Table":
            continue
        found, wanted = dynamodb.describe_table(TableName=made[name])["Table"], resource["Properties"]
        for what in ("KeySchema", "AttributeDefinitions"):
            proof.claim(f"{name} has the template's {what}", found[what] == wanted[what], found[what])
        indexes = [(i["IndexName"], i["KeySchema"], i["Projection"]) for i in found.get("GlobalSecondaryIndexes", [])]
        proof.claim(f"{name} has the template's indexes",
                    indexes == [(i["IndexName"], i["KeySchema"], i["Projection"]) for i in wanted.get("GlobalSecondaryIndexes", [])], indexes)


# What doctor says of the stack as moto makes it, and another call that mends it.
NOT_SET = {
    "ttl": "moto takes no TimeToLiveSpecification from a template: it is set by DynamoDB's API, from the same properties",
}

ACCOUNT, NUMBERS = "acme_retail", ["+44 7700 900123", "+1 202 555 0147", "+44 7700 900456"]
DIRECTORY = f"""
partners:
  - {{id: lighthouse, name: Lighthouse Telecom, customers: [{{accountId: {ACCOUNT}}}]}}
customers:
  - {{accountId: {ACCOUNT}, name: Acme Retail, products: [sms], currency: EUR, billingMode: postpaid}}
priceLists:
  - {{accountId: {ACCOUNT}, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{{unitPrice: "0.05"}}]}}
"""


class Partnerctl:
    """Runs partnerctl --stack with an environment that leads to moto."""

    def __init__(self, binary, folder, url, proof):
        self.binary, self.proof = binary, proof
        account = {"PATH": os.environ["PATH"], "HOME": folder, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
                   "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
        self.by_one = account | {"AWS_ENDPOINT_URL": url}
        services = ("CLOUDFORMATION", "DYNAMODB", "STS", "API_GATEWAY")
        self.by_each = account | {f"AWS_ENDPOINT_URL_{service}": url for service in services}

    def run(self, *arguments, stdin="", environment=None, code=0):
        """Runs a command: what it printed, as JSON. Another exit code than the expected one is a failure. moto may take longer for
        the first call of a kind than partnerctl waits for a database: then it is run again, as it says itself."""
        for attempt in range(1, ATTEMPTS + 1):
            ran = subprocess.run([self.binary, *arguments, "--stack", STACK, "-o", "json"], input=stdin, capture_output=True, text=True,
                                 env=environment or self.by_one, timeout=COMMAND_TIMEOUT)
            if ran.returncode == code or SLOW not in ran.stderr:
                break
        self.proof.claim("partnerctl " + " ".join(arguments[:2]), ran.returncode == code, f"exit code {ran.returncode}: {ran.stderr or ran.stdout}")
        print(f"partnerctl {' '.join(arguments)}: exit code {ran.returncode}" + (f", at the attempt {attempt}" if attempt > 1 else ""), flush=True)
        try:
            return json.loads(ran.stdout)
        except ValueError:
            return {}


def records(now):
    """A file of usage of yesterday: three records, one of which costs twice as much."""
    day = (now - datetime.timedelta(days=1)).date().isoformat()
    rows = [{"accountId": ACCOUNT, "product": "sms", "id": f"proof-{i}", "timestamp": f"{day}T10:00:0{i}Z", "direction": "outbound", "status": "delivered",
             "from": "Acme", "to": number, "country": "GB", "segments": 2 if i == 2 else 1} for i, number in enumerate(NUMBERS)]
    return day, "".join(json.dumps(row) + "\n" for row in rows)


def items_of(dynamodb, table):
    """All items of a table: of each attribute its text, number, list or bytes."""
    found = []
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        found += [{name: next(iter(value.values())) for name, value in item.items()} for item in page["Items"]]
    return found


def work(ctl, made, clients, proof):
    """Has partnerctl do what an operator does on the first day, and looks into the tables each time."""
    tables = {name: made[name] for name in made if name.endswith("Table")}

    def items(table, **fields):
        return [i for i in items_of(clients.dynamodb, tables[table]) if all(str(i.get(k, "")).startswith(v) for k, v in fields.items())]

    planned = ctl.run("apply", "-f", "-", "--dry-run", stdin=DIRECTORY)
    proof.claim("a plan writes nothing", planned.get("changes") and not items("PartnersTable") + items("CustomersTable"), planned)
    ctl.run("apply", "-f", "-", stdin=DIRECTORY)
    proof.claim("the partner is in the table", len(items("PartnersTable", pk="PARTNER#lighthouse", sk="PROFILE", status="active")) == 1)
    proof.claim("and its grant", len(items("PartnersTable", pk="PARTNER#lighthouse", sk="GRANT#" + ACCOUNT)) == 1)
    proof.claim("and the customer", len(items("CustomersTable", accountId=ACCOUNT, currency="EUR")) == 1)
    proof.claim("and the price list", len(items("PriceListsTable", log=ACCOUNT + "#sms")) == 1)
    again = ctl.run("apply", "-f", "-", "--dry-run", stdin=DIRECTORY, environment=ctl.by_each)
    proof.claim("nothing is left to apply", again.get("changes") == [], again)

    key = ctl.run("key", "create", "--partner", "lighthouse", "--label", "proof", "--expires", "90d")
    stored = items("PartnersTable", pk="KEY#" + key.get("keyId", "?"))
    proof.claim("the key is in the table, by a hash of 32 bytes", len(stored) == 1 and len(stored[0].get("hash", b"")) == 32, stored)

    day, usage = records(datetime.datetime.now(datetime.timezone.utc))
    ctl.run("import", "usage", "-", stdin=usage)
    shown = sorted(i["to"] for i in items("UsageTable", log=ACCOUNT + "#sms", at=day))
    proof.claim("the records are in the table, masked", shown == ["****0123", "****0147", "****0456"], shown)
    proof.claim("and go when they are past their time", all(int(i["expiresAt"]) > 0 for i in items("UsageTable")))
    totals = items("TotalsTable", pk=ACCOUNT + "#sms", sk="DAY#" + day)
    proof.claim("their day is counted", len(totals) == 1 and "stale" not in totals[0] and "0.2" in totals[0]["groups"], totals)
    proof.claim("the import is in the ledger", len(items("LedgerTable", pk="IMPORTS#2", outcome="done")) == 1)
    proof.claim("and the apply, and the key", len(items("LedgerTable", pk="HISTORY#2")) >= 2)
    proof.claim("the writer's lease is given back", not any("holder" in i for i in items("LedgerTable", pk="WRITER", sk="LEASE")))
    total = ctl.run("totals", "show", ACCOUNT, environment=ctl.by_each)
    proof.claim("totals show says what the day came to", [d.get("charged", [{}])[0].get("amount") for d in total.get("days", [])] == ["0.2"], total)

    ctl.run("partner", "set-plan", "lighthouse", "silver", environment=ctl.by_each)
    gateway = [i for i in items("PartnersTable", pk="PARTNER#lighthouse", sk="PROFILE") if "gatewayKeyId" in i]
    members = clients.apigateway.get_usage_plan_keys(usagePlanId=clients.plans["SilverPlan"])["items"]
    proof.claim("the partner's key is in the plan", [i["gatewayKeyId"] for i in gateway] == [m["id"] for m in members] != [], members)

    everything = repr([items_of(clients.dynamodb, table) for table in tables.values()])
    proof.claim("no table holds the key's text", key.get("key", "?") not in everything)
    proof.claim("or a number", not any("".join(c for c in n if c.isdigit()) in everything or n in everything for n in NUMBERS))


def examine(ctl, template, made, clients, proof):
    """Has doctor find what moto left out, and nothing else; then nothing."""
    wrong = [c for c in ctl.run("doctor", code=1).get("checks", []) if not c["ok"]]
    for check in wrong:
        proof.lacks(NOT_SET, check["check"], f"doctor: {check['check']} of {check.get('table')}: {check['detail']}")
    for name, resource in template["Resources"].items():
        if "TimeToLiveSpecification" in resource.get("Properties", {}):
            clients.dynamodb.update_time_to_live(TableName=made[name], TimeToLiveSpecification=resource["Properties"]["TimeToLiveSpecification"])
    found = ctl.run("doctor")
    proof.claim("doctor finds nothing wrong", found.get("ok") is True, [c for c in found.get("checks", []) if not c["ok"]])


def prove(rendered, partnerctl, url, proof):
    """Everything, against the server at url."""
    import boto3
    from botocore.config import Config

    patient = Config(retries={"total_max_attempts": 1}, read_timeout=600)  # a stack is made in one call
    clients = types.SimpleNamespace(**{service: boto3.client(service, endpoint_url=url, config=patient)
                                       for service in ("s3", "cloudformation", "dynamodb", "apigateway")})
    template = json.loads(pathlib.Path(rendered).read_text())
    clients.plans = make_plans(template, clients.apigateway)
    made = create(template, clients, proof)
    compare_tables(template, made, clients.dynamodb, proof)
    with tempfile.TemporaryDirectory() as folder:  # a home without an AWS configuration
        ctl = Partnerctl(str(pathlib.Path(partnerctl).resolve()), folder, url, proof)
        work(ctl, made, clients, proof)
        examine(ctl, template, made, clients, proof)


def main(rendered, partnerctl):
    os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local", AWS_DEFAULT_REGION="us-east-1")
    logging.disable()
    warnings.simplefilter("ignore")  # moto tells of each resource that it does not know
    from moto.server import ThreadedMotoServer

    proof = Proof()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        prove(rendered, partnerctl, f"http://{host}:{port}", proof)
    finally:
        server.stop()
    for title, reasons in (("not made by moto:", NOT_MADE), ("taken out of the template:", TAKEN_OUT), ("said otherwise:", OTHERWISE),
                           ("set afterwards:", NOT_SET)):
        proof.told(title, reasons)
    print(f"stack: {proof.held} claims held of the stack and of partnerctl's work on it in moto {metadata.version('moto')}, {proof.failed} failed")
    return 1 if proof.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
