"""What only one of the two gateways does, each with its reason. An entry explains a pair of answers by making the two alike in
what it is about, and in nothing else; one that explains nothing any more fails the proof."""

import gzip
import json
import re
import urllib.parse

from sam import AUTHORIZER_SAID

DIFFERENCES = []  # (name, reason, explains), in the order in which they are tried


def difference(reason):
    """Enters a function: explains(ask, ours, theirs) makes copies of the two answers more alike, and reports whether it did."""

    def enter(explains):
        DIFFERENCES.append((explains.__name__.replace("_", " "), reason, explains))
        return explains

    return enter


def message(answer):
    """The text of one of SAM's own refusals; None: it is none."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return None
    return body["message"] if isinstance(body, dict) and body.keys() == {"message"} else None


def code(answer):
    """The code of a problem; None: it is none."""
    if answer.header("content-type") != "application/problem+json":
        return None
    return json.loads(answer.body or b"{}").get("code")


def take(theirs, ours):
    """Makes theirs ours, and reports that it did."""
    theirs.status, theirs.headers, theirs.body = ours.status, ours.headers, ours.body
    return True


@difference("SAM's gateway gives an answer no id; that of the event is in the problems of both")
def ids_of_requests(ask, ours, theirs):
    had = [ours.headers.pop(name, None) for name in ("x-amzn-requestid", "x-amz-apigw-id")]
    return any(had)


@difference("SAM's gateway does not play MinimumCompressionSize: what ours has compressed is the same when it is unpacked")
def compression(ask, ours, theirs):
    if ours.header("content-encoding") != "gzip" or "gzip" not in dict(ask.headers).get("Accept-Encoding", ""):
        return False
    ours.body = gzip.decompress(ours.body)
    del ours.headers["content-encoding"]
    return len(ours.body) >= 1024


def refused(theirs, status, text, said=""):
    """Reports whether SAM's gateway has refused in its own words, after the authorizer had said this."""
    return (theirs.status, message(theirs), theirs.header(AUTHORIZER_SAID.lower())) == (status, text, said)


@difference("SAM's gateway does not play GatewayResponses: UNAUTHORIZED, without a credential")
def no_credential(ask, ours, theirs):
    return refused(theirs, 401, "Unauthorized") and code(ours) == "unauthorized" and take(theirs, ours)


@difference("SAM's gateway takes the authorizer's error for a failure, also the one that means 401 on AWS")
def unauthorized(ask, ours, theirs):
    return refused(theirs, 502, "Internal server error", said="Unauthorized") and code(ours) == "unauthorized" and take(theirs, ours)


@difference("SAM's gateway does not play GatewayResponses: ACCESS_DENIED")
def denied(ask, ours, theirs):
    return refused(theirs, 403, "User is not authorized to access this resource", said="deny") and code(ours) == "customer_not_found" and take(theirs, ours)


@difference("SAM's gateway takes the ARN of a policy for a regular expression, so that a path with a + in it is not its own")
def plus_in_an_arn(ask, ours, theirs):
    signs = any(sign in urllib.parse.unquote(ask.path.split("?")[0]) for sign in "+*()[]^$|{}\\")
    return signs and refused(theirs, 403, "User is not authorized to access this resource", said="allow") and take(theirs, ours)


@difference("Flask decodes a path before the authorizer has it, which allows none with a ? or a *: they are wildcards in a policy; API Gateway hands on %3F")
def wildcard_in_an_arn(ask, ours, theirs):
    encoded = re.search("%3f|%2a", ask.path.split("?")[0], re.IGNORECASE)
    denied_there = encoded and refused(theirs, 403, "User is not authorized to access this resource", said="deny")
    return denied_there and ours.status in (400, 404, 406) and take(theirs, ours)


@difference("Flask decodes a path before the authorizer has it, which allows none of more characters than a policy can name, 512: %78 is one there, and three as it was sent")
def longer_than_a_policy(ask, ours, theirs):
    path = ask.path.split("?")[0]
    longer = len("arn:aws:execute-api:us-east-1:123456789012:local/v1/GET" + path) > 512 > len(urllib.parse.unquote(path))
    allowed_there = theirs.status in (200, 400, 404, 406) and code(theirs) != "customer_not_found"
    return longer and allowed_there and code(ours) == "customer_not_found" and take(theirs, ours)


@difference("Flask finds no route for methods other than the seven of ANY; ours leads them to the greedy route, which says the same in the template's words")
def other_methods(ask, ours, theirs):
    return refused(theirs, 403, "Missing Authentication Token") and code(ours) == "route_not_found" and take(theirs, ours)


@difference("Flask takes a method in small letters for one in capitals, which RFC 9110 (9.1) tells apart")
def small_letters(ask, ours, theirs):
    return ask.method != ask.method.upper() and code(ours) == "route_not_found" and take(theirs, ours)


@difference("Flask leaves the last slash in a greedy parameter; ours takes it off, as everywhere: what API Gateway does is not documented")
def last_slash_of_a_greedy_path(ask, ours, theirs):
    path = ask.path.split("?")[0]
    return path.endswith("/") and not path.startswith("/customers") and ours.status == 200 and code(theirs) == "route_not_found" and take(theirs, ours)


@difference("Flask adds HEAD to a route that has GET, and SAM's gateway then finds no function for it; on AWS it is another method, which the greedy route has")
def head_of_a_data_route(ask, ours, theirs):
    if ask.method != "HEAD" or (ours.status, theirs.status) != (404, 502) or ours.body or theirs.body:
        return False
    return take(theirs, ours)


@difference("Flask leads a path with two slashes in a row to the one without; on AWS it is another path, which no route but the greedy one has")
def slashes_in_a_row(ask, ours, theirs):
    if "//" not in ask.path or code(ours) != "route_not_found" or not (ask.path.startswith("//") or theirs.status == 308):
        return False
    return take(theirs, ours)


@difference("Flask decodes a path before it looks for a route, so that %2F separates; API Gateway hands a parameter on as it was sent")
def escaped_slash(ask, ours, theirs):
    if "%2f" not in ask.path.split("?")[0].lower() or theirs.status != 404 or code(theirs) not in (None, "route_not_found") or ours.status not in (401, 404):
        return False
    return take(theirs, ours)


@difference("Flask decodes a path before SAM's gateway hands it on, and the function decodes it again: %2573ms is sms; API Gateway hands it on as it was sent")
def product_decoded_twice(ask, ours, theirs):
    product = re.match("/customers/[^/?]*/usage/([^/?]*)", ask.path)
    if not product or not re.search("%[0-9a-fA-F]{2}", urllib.parse.unquote(product[1])):
        return False
    found = theirs.status in (200, 400, 406) or code(theirs) == "record_not_found"
    return code(ours) == "product_not_found" and found and take(theirs, ours)


@difference("Flask decodes a path before it looks for a route; ours holds it against the routes as it was sent")
def escaped_route(ask, ours, theirs):
    if not re.match(r"/[a-z/]*%[46]", ask.path) or code(ours) != "route_not_found":
        return False
    return take(theirs, ours)


@difference("API Gateway takes a semicolon for an ampersand, and Flask does not")
def semicolon_in_a_query(ask, ours, theirs):
    if ";" not in ask.path.partition("?")[2] or code(theirs) != "invalid_parameter":
        return False
    return take(theirs, ours)


@difference("SAM's gateway hands on no body that is no text; ours, as API Gateway, in base64")
def body_that_is_no_text(ask, ours, theirs):
    if b"\xff" not in ask.body or (theirs.status, message(theirs)) != (502, "Internal server error") or ours.status >= 500:
        return False
    return take(theirs, ours)


@difference("SAM's gateway has none of API Gateway's limits: 10,240 bytes of headers, and 1,600 of a method's ARN")
def limits(ask, ours, theirs):
    head = len(ask.method) + len(ask.path) + sum(len(n) + len(v) for n, v in ask.headers)
    if not (ours.status == 413 and head > 10_000 or ours.status == 414 and len(ask.path) > 1500):
        return False
    return take(theirs, ours)


@difference("what the proof itself has noted on SAM's answers")
def what_the_authorizer_said(ask, ours, theirs):
    return theirs.headers.pop(AUTHORIZER_SAID.lower(), None) is not None
