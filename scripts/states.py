#!/usr/bin/env python3
"""Runs state machines by interpreters that are not ours, and tells how they ended. make states calls it.

    .tools/states/bin/python scripts/states.py TEMPLATE TESTDATA > TESTDATA/outcomes.json

TEMPLATE is the rendered one. Each TESTDATA/cases/*.json is a definition (or the name of the template's state machine), an
input, and what the function answers, call by call. moto runs the definition; the function is a server of ours on loopback.
asl-validator must find no fault in it. TESTDATA/faults.json has changes of the template's definition, each of which one of
the two must refuse. internal/dev/local/states holds its own outcomes against what this prints. Nothing is asked of AWS.
"""
import http.server
import json
import logging
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

ROLE = "arn:aws:iam::123456789012:role/states"
TOOLS = pathlib.Path(sys.prefix)


class Functions(http.server.BaseHTTPRequestHandler):
    """Answers as Lambda does, for the function <case>--<name>, with the case's next answer; the last is given for ever."""

    cases, calls, lock = {}, {}, threading.Lock()
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        case = self.path.split("/functions/")[1].split("/")[0].split("%3A")[-1].split(":")[-1].split("--")[0]
        with self.lock:
            call = self.calls[case] = self.calls.get(case, -1) + 1
        answers = self.cases[case]["answers"]
        answer = answers[min(call, len(answers) - 1)]
        time.sleep(answer.get("hang", 0))
        if "service" in answer:
            kind = {500: "ServiceException", 429: "TooManyRequestsException"}[answer["service"]]
            return self.answer(answer["service"], {"Message": "no"}, ("x-amzn-ErrorType", kind))
        if "fail" in answer:
            return self.answer(200, answer["fail"], ("X-Amz-Function-Error", "Unhandled"))
        self.answer(200, {**payload, **answer["merge"]} if "merge" in answer else answer.get("return"))

    def answer(self, status, body, *headers):
        text = json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(text))), ("x-amzn-requestid", "0"), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)
        except BrokenPipeError:
            pass  # the caller's time was over

    def log_message(self, *_):
        pass


def hastened(definition, case):
    """The definition without its pauses, with functions of the case's own."""
    definition = json.loads(json.dumps(definition).replace(":function:", f":function:{case}--"))
    for state in definition["States"].values():
        if state["Type"] == "Wait":
            state["Seconds"] = min(state["Seconds"], 2) if definition.get("TimeoutSeconds") == 1 else 0
        for retrier in state.get("Retry", []):
            retrier.update(IntervalSeconds=1, BackoffRate=1)
            retrier.pop("MaxDelaySeconds", None)
            retrier.pop("JitterStrategy", None)
    return json.dumps(definition)


def outcome(client, machine, case):
    """How the case's execution ended, and which states it entered."""
    arn = client.start_execution(stateMachineArn=machine, name=case, input=json.dumps(Functions.cases[case]["input"]))["executionArn"]
    while (execution := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.1)
    events = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    found = {"status": execution["status"], "visited": [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]}
    if "output" in execution:
        found["output"] = json.loads(execution["output"])
        found["output"].pop("started", None)  # is of the clock
    if execution.get("error"):
        found["error"] = execution["error"]
    return found


def validated(definitions):
    """Has asl-validator read definitions: by name, what is wrong with them."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        for number, definition in enumerate(definitions.values()):
            path = pathlib.Path(folder, f"{number}.json")
            path.write_text(json.dumps(definition))
            arguments += ["--json-path", path]
        told = subprocess.run([TOOLS / "node_modules/.bin/asl-validator", *arguments], capture_output=True, text=True)
        found = dict(re.findall(rf'"{folder}/(\d+)\.json" is invalid:\n((?: .*\n)+)', told.stdout + told.stderr))
        if (told.returncode != 0) != bool(found):
            raise SystemExit(f"asl-validator ended with {told.returncode}: {told.stdout}{told.stderr}")
    return {name: found[str(n)].strip() for n, name in enumerate(definitions) if str(n) in found}


def machine_of(template, name):
    """The definition of a state machine, as CloudFormation would hand it to Step Functions."""
    properties = template["Resources"][name]["Properties"]
    separator, lines = properties["DefinitionString"]["Fn::Join"]
    text = separator.join(lines)
    for placeholder, value in properties["DefinitionSubstitutions"].items():
        text = text.replace("${" + placeholder + "}", "arn:aws:lambda:us-east-1:123456789012:function:" + value["Fn::GetAtt"][0])
    return json.loads(text)


def refusals(client, definition, faults):
    """Who refuses the definition with each of the faults in it."""
    text = json.dumps(definition, separators=(",", ":"))
    broken = {}
    for name, (old, new) in faults.items():
        if old not in text:
            raise SystemExit(f"{name}: the definition has no {old}")
        broken[name] = json.loads(text.replace(old, new, 1))
    refused = {name: ["asl-validator"] for name in validated(broken)}
    for number, (name, definition) in enumerate(broken.items()):
        try:
            client.create_state_machine(name=f"fault-{number}", definition=json.dumps(definition), roleArn=ROLE)
        except Exception:
            refused.setdefault(name, []).append("moto")
    return refused, [f"nobody refuses {name}" for name in broken if name not in refused]


def main(template, testdata):
    template = json.loads(pathlib.Path(template).read_text())
    for path in sorted(pathlib.Path(testdata, "cases").glob("*.json")):
        case = Functions.cases[path.stem] = json.loads(path.read_text())
        if isinstance(case["definition"], str):
            case["definition"] = machine_of(template, case["definition"])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Functions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ.update(AWS_ENDPOINT_URL_LAMBDA=f"http://127.0.0.1:{server.server_port}", AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local",
                      AWS_DEFAULT_REGION="us-east-1", AWS_MAX_ATTEMPTS="1")
    logging.disable()  # moto tells of each execution that fails
    import boto3
    from moto import mock_aws

    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "core": {"passthrough": {"urls": ["http://127.0.0.1.*"]}}}):
        client = boto3.client("stepfunctions")
        outcomes, threads = {}, []
        for case in Functions.cases:
            machine = client.create_state_machine(name=case, definition=hastened(Functions.cases[case]["definition"], case), roleArn=ROLE)["stateMachineArn"]
            threads.append(threading.Thread(target=lambda c=case, m=machine: outcomes.update({c: outcome(client, m, c)})))
            threads[-1].start()
        faults = json.loads(pathlib.Path(testdata, "faults.json").read_text())
        refused, missed = refusals(client, machine_of(template, "ImportStateMachine"), faults)
        for thread in threads:
            thread.join()
    print(json.dumps({"outcomes": outcomes, "refused": refused}, indent=1, sort_keys=True))
    wrong = validated({name: case["definition"] for name, case in Functions.cases.items()})
    return missed + [f"{name}: {fault}" for name, fault in wrong.items()]


if __name__ == "__main__":
    complaints = main(*sys.argv[1:])
    print("\n".join(complaints), file=sys.stderr, end="")
    sys.exit(1 if complaints else 0)
