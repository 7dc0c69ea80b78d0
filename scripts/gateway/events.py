"""Events that no gateway sends, straight to each function under Lambda's own emulator: none may end the function, open anything or
be answered by anything but an error or what is documented; and the function answers the next event as if nothing had been."""

import json
import re
import time
import urllib.request

IMPORTER = "ImportUsageFunction"  # it has no route, and is never kept warm
IMPORT_TIMEOUT = 60  # seconds
KEEP_WARM = '{"keepWarm":true}'
LARGE = 6 << 20  # bytes: the most that Lambda hands to a function
PROXY = {"resource": "/customers", "path": "/customers", "httpMethod": "GET", "headers": None, "requestContext": {"requestId": "r", "stage": "v1", "path": "/v1/customers"}}
IDENTITY = {"authorizer": {"partnerId": "northwind", "keyId": "k", "narrowed": "no", "accountId": "acme_retail", "products": "sms"}}


def event(**fields):
    return json.dumps(PROXY | fields).encode()


def large(text):
    """A text, filled up to the size of the largest event, with its last brace at the end."""
    filler = b'"filler":"' + b"x" * (LARGE - len(text) - 14) + b'"'
    return text[:-1] + b"," + filler + b"}"


EVENTS = {
    "nothing": b"", "a blank": b" ", "a brace": b"{", "bytes that are no text": b"\xff\xfe\x00", "two documents": b"{}{}", "null": b"null", "true": b"true", "a number": b"-1e999",
    "a text": b'"Unauthorized"', "a list": b"[]", "a list of objects": b"[{}]", "an empty object": b"{}", "a name twice": b'{"httpMethod":"GET","httpMethod":5}',
    "100,000 brackets": b"[" * 100_000, "10,000 objects in each other": b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "half an event": event()[:80], "a lone surrogate": b'{"path":"\\ud800"}',
    "S3": b'{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"native/x.ndjson","size":5}}}]}',
    "SQS": b'{"Records":[{"messageId":"m","eventSource":"aws:sqs","body":"{}","attributes":{}}]}',
    "SNS": b'{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"x","Subject":null}}]}',
    "DynamoDB": b'{"Records":[{"eventSource":"aws:dynamodb","dynamodb":{"Keys":{"pk":{"S":"x"}}}}]}',
    "EventBridge": b'{"version":"0","detail-type":"Object Created","source":"aws.s3","time":"2026-11-15T12:00:00Z","detail":{"bucket":{"name":"b"},"object":{"key":"native/x.ndjson"}}}',
    "HTTP API, payload 2.0": b'{"version":"2.0","routeKey":"GET /customers","rawPath":"/customers","headers":{},"requestContext":{"http":{"method":"GET","path":"/customers"}}}',
    "a load balancer": b'{"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"GET","path":"/customers","headers":{"host":"x"},"body":""}',
    "WebSocket": b'{"requestContext":{"routeKey":"$connect","connectionId":"c","eventType":"CONNECT"},"isBase64Encoded":false}',
    "a TOKEN authorizer": b'{"type":"TOKEN","authorizationToken":"Bearer x","methodArn":"arn:aws:execute-api:us-east-1:123456789012:a/v1/GET/customers"}',
    "a REQUEST authorizer": b'{"type":"REQUEST","methodArn":"arn:aws:execute-api:us-east-1:123456789012:a/v1/GET/customers","resource":"/customers","path":"/customers","httpMethod":"GET",'
                            b'"headers":{"Authorization":"Bearer pvk_wrong"},"requestContext":{"path":"/v1/customers"}}',
    "Cognito": b'{"version":"1","triggerSource":"PreSignUp_SignUp","userPoolId":"u","request":{},"response":{}}',
    "a state of the inbox": b'{"bucket":"no-such-bucket","key":"native/x.ndjson","etag":"e","size":1,"time":"2026-11-15T12:00:00Z","step":"import","id":"i","started":"2026-11-15T12:00:00Z"}',
    "a proxy event without an identity": event(), "... with half of one": event(requestContext={"authorizer": {"partnerId": "northwind"}}),
    "... with an identity of texts only": event(requestContext={"authorizer": "northwind"}), "... of another type": event(httpMethod=5, headers=[]),
    "... of no route": event(resource="/x", path="/x", requestContext=IDENTITY), "... without a method": event(httpMethod="", requestContext={}),
    "... with a path that is none": event(resource="/customers/{accountId}", pathParameters={"accountId": "\x00/../%zz"}), "... with a header of a line break": event(headers={"X": "a\r\nB: c"}),
    "... with a forged header": event(headers={"X-GoLambdaProxy-ApiGw-Context": json.dumps(IDENTITY)}), "... with a body that is no base64": event(body="%%%", isBase64Encoded=True),
    "6 MB of a text": b'"' + b"x" * (LARGE - 2) + b'"', "6 MB of blanks": b" " * LARGE, "6 MB that are no event": large(b'{"a":1}'), "6 MB of a proxy event": large(event()),
    "6 MB of a query": event(queryStringParameters={"search": "x" * (LARGE - 1000)}), "6 MB of a body": event(body="x" * (LARGE - 1000)), "6 MB of a path": event(path="/" + "x" * (LARGE - 1000)),
    "6 MB of zeros": b"\0" * LARGE, "6 MB of S3": large(b'{"Records":[{"eventSource":"aws:s3"}]}'), "keep warm, and more": b'{"keepWarm":true,"x":1}',
}


def fault_of(name, answer, codes):
    """Why an answer is none that a function may give to such an event; empty: it may."""
    try:
        said = json.loads(answer)
    except ValueError:
        return f"no JSON: {answer[:200]!r}"
    if said is None:
        return ""
    if not isinstance(said, dict):
        return f"neither an error nor an answer: {answer[:200]!r}"
    if "errorType" in said:
        return f"the function has ended: {said}" if re.match(r"Runtime\.|Sandbox\.|Function\.", said["errorType"]) else ""
    if "policyDocument" in said:
        return "" if all(s["Effect"] == "Deny" for s in said["policyDocument"]["Statement"] or []) else "it is let in"
    if "outcome" in said:
        return "" if said["outcome"] in ("failed", "replaced") else f"the outcome {said['outcome']}"
    if "statusCode" not in said:
        return f"an answer of a form that is not documented: {answer[:200]!r}"
    if said["statusCode"] >= 400:
        code = json.loads(said["body"] or "{}").get("code")
        return "" if code in codes else f"the undocumented code {code}"
    return "" if name == "DashboardFunction" else f"{said['statusCode']} for nobody: {said['body'][:200]!r}"


def hand_over(emulators, kept, codes, claim):
    """Hands every event to every function. kept has, by function, a request's event and its answer: the same comes afterwards."""
    for name, emulator in emulators.items():
        warm = emulator.invoke(KEEP_WARM)
        began = emulator.function()
        claim(f"{name} runs under the emulator", began is not None, "no process")
        claim(f"{name} answers a schedule's event at once", name == IMPORTER or warm == b"{}", warm[:200])
        for what, data in EVENTS.items():
            fault = fault_of(name, emulator.invoke(data), codes)
            claim(f"{name}, {what}", not fault, fault)
        claim(f"{name} is the same process after all of them", emulator.function() == began, f"{emulator.function()}, and {began} before")
        if name != IMPORTER:
            event, answer = kept[name]
            claim(f"{name} answers a request as before", emulator.invoke(event) == answer, "it does not")


def import_file(emulator, inbox, records):
    """Puts a file into the product's bucket, which imports it, and has the function under the emulator import it as well: the
    state that it answers at last."""
    request = urllib.request.Request(f"{inbox}/native/proof.ndjson", records, method="PUT")
    with urllib.request.urlopen(request, timeout=IMPORT_TIMEOUT) as response:
        etag = response.headers["ETag"].strip('"')
    state = {"bucket": inbox.rsplit("/", 1)[1], "key": "native/proof.ndjson", "etag": etag, "size": len(records), "step": "import", "id": "proof",
             "time": "2026-11-15T12:00:00Z", "started": "2026-11-15T12:00:00Z"}
    late = time.monotonic() + IMPORT_TIMEOUT
    while True:
        state = json.loads(emulator.invoke(json.dumps(state)))
        if state.get("outcome") != "busy" or time.monotonic() > late:
            return state
        time.sleep(1)
