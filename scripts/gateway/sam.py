"""AWS SAM's own local gateway on template.yaml, with functions that are called through their emulators instead of Docker."""

import contextlib
import io
import json
import logging
import pathlib
import threading

import flask
import samcli
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.apigw import local_apigw_service
from samcli.local.apigw.route import Route
from werkzeug.serving import make_server

from processes import Emulator, Failed

SAMCLI = pathlib.Path(samcli.__file__).parent
# Names for our eyes alone: what the authorizer said of a request, which SAM's gateway tells of by its own words.
AUTHORIZER_SAID = "X-Proof-Authorizer-Said"

# What SAM makes something else of, when it reads the template, than CloudFormation does.
MISREAD = {
    "x-amazon-apigateway-any-method": "SAM knows ANY by that name alone, and takes this one for a method: its routes are given all seven",
    "AWS::NoValue": "SAM leaves an If with it as it stands: the variable is left out, as CloudFormation does where there is no issuer",
}


def left_out(value):
    """Reports whether a variable of a function has no value in a stack without an issuer."""
    return isinstance(value, dict) and value.get("Fn::If", [])[:2] == ["HasNoIssuer", {"Ref": "AWS::NoValue"}]


def functions(root, ready, now, met):
    """An emulator for each function of the template, with the environment that SAM reads there and the product's tables. met
    counts what was misread."""
    stacks, _ = SamLocalStackProvider.get_stacks(str(root / "template.yaml"))
    names = {table + "Table": name for table, name in ready["tables"].items()}
    for function in SamFunctionProvider(stacks, ignore_code_extraction_warnings=True).get_all():
        variables = (function.environment or {}).get("Variables", {})
        known = {name: value for name, value in variables.items() if not left_out(value)}
        met["AWS::NoValue"] += len(variables) - len(known)
        if any(isinstance(value, dict) for value in known.values()):
            raise Failed(f"SAM does not resolve the environment of {function.name}: {known}")
        environment = {name: names.get(str(value), str(value)) for name, value in known.items()}
        environment |= {"AWS_ENDPOINT_URL_DYNAMODB": ready["dynamodbEndpoint"], "AWS_ENDPOINT_URL_S3": ready["inboxUrl"].rsplit("/", 1)[0], "PARTNERVIEW_NOW": now}
        bootstrap = root / "build" / function.function_id / "bootstrap"
        yield Emulator(SAMCLI, bootstrap, function.function_id, environment, function.timeout, function.memory)


class Runner:
    """Stands where SAM's gateway has what runs containers."""

    def __init__(self, emulators, authorizer):
        self.emulators, self.authorizer = emulators, authorizer
        self.kept = {}  # of each function the first event that it answered well, and the answer

    def is_debugging(self):
        return False

    def invoke(self, function, event, stdout=None, stderr=None, tenant_id=None):
        answer = self.emulators[function].invoke(event)
        said = json.loads(answer)
        if function == self.authorizer:
            flask.g.authorizer_said = verdict(said)
        if said.get("statusCode") == 200 or verdict(said) == "allow":
            self.kept.setdefault(function, (event, answer))
        stdout.write_str(answer.decode())


def verdict(said):
    """What an authorizer said, in a word: allow, deny, or the text of its error; empty: it is no authorizer's."""
    if "policyDocument" in said:
        return said["policyDocument"]["Statement"][0]["Effect"].lower()
    return said.get("errorMessage", "")


def note_authorizer(response):
    """Puts the authorizer's word into the answer."""
    response.headers[AUTHORIZER_SAID] = flask.g.get("authorizer_said", "")
    return response


@contextlib.contextmanager
def gateway(root, emulators, met):
    """Serves, and yields the address, "127.0.0.1:41234", and the runner."""
    logging.disable()  # of each request that is refused
    local_apigw_service.EventTracker.track_event = lambda *_, **__: None  # nothing is told to AWS
    stacks, _ = SamLocalStackProvider.get_stacks(str(root / "template.yaml"))
    with contextlib.redirect_stderr(io.StringIO()):  # that its authorizers are not quite AWS's
        api = ApiProvider(stacks, cwd=str(root)).api
    for route in api.routes:
        if route.methods == ["X-AMAZON-APIGATEWAY-ANY-METHOD"]:
            route.methods = Route.ANY_HTTP_METHODS
            met["x-amazon-apigateway-any-method"] += 1
    authorizers = {r.authorizer_object.lambda_name for r in api.routes if r.authorizer_object}
    if len(authorizers) != 1:
        raise Failed(f"SAM finds the authorizers {authorizers} in the template, and not one")
    runner = Runner(emulators, authorizers.pop())
    service = local_apigw_service.LocalApigwService(api, runner, port=0, host="127.0.0.1")
    service.create()
    service._app.after_request(note_authorizer)
    server = make_server("127.0.0.1", 0, service._app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", runner
    finally:
        server.shutdown()
        thread.join()
