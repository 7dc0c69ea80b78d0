"""What both gateways are asked: requests drawn from openapi.yaml, all their parameters well and badly filled, and a list of
hostile ones. A seed draws the same again."""

import dataclasses
import random
import urllib.parse

import yaml


@dataclasses.dataclass(frozen=True)
class Ask:
    """A request. The path is below the stage, as it is sent: "/customers?limit=5"."""

    method: str
    path: str
    headers: tuple = ()  # of (name, value), in order
    body: bytes = b""

    def __str__(self):
        """The request, without what tells a key."""
        path = self.path if len(self.path) < 160 else f"{self.path[:80]}… ({len(self.path)} characters)"
        headers = " ".join(f"{n}: {v[:24]}" for n, v in self.headers if n.lower() != "authorization")
        return f"{self.method} {path} {headers}" + (f" with {len(self.body)} bytes" if self.body else "")


@dataclasses.dataclass
class Known:
    """What there is to ask for: of each key's partner, its customers; of each customer and product, ids of records."""

    keys: dict  # partner → key, those of suspended partners too
    accounts: dict  # partner → account ids
    records: list  # (partner, account, product, id)
    cursors: dict  # path → a cursor of it


TIMES = ["2026-11-01", "2026-11-14", "2026-10-01", "2026-11-03T10:00:00Z", "2026-11-03T11:00:00+01:00", "2026-11-03T10:00:00.120Z", "2024-02-29", "0001-01-01"]
NO_TIMES = ["", "2026-02-30", "2026-11-03T10:00", "2026-11-03 10:00:00", "yesterday", "1762164000", "9999-99-99", "2026-11-01T25:00:00Z", "2026-11-03T10:00:00Z "]
# By parameter: what is well-formed, and what is not, beyond what the schema says by itself.
TEXTS = {
    "search": (["retail", "müller", "a.b", "&", "100%", "trade co", "日本", "x" * 800], ["", "x" * 801, "\0", "\u202e", "é" * 401]),
    "from": (TIMES, NO_TIMES), "to": (TIMES + ["2026-12-01"], NO_TIMES), "updatedSince": (TIMES[3:6], NO_TIMES),
    "fromLast4": (["0123", "0147"], ["", "123", "12345", "０１２３", "01 3", "****"]), "toLast4": (["0742", "0001"], ["", "1", "00000", "abcd"]),
    "status": (["delivered", "read", "FAILED", "no_such"], ["", "a" * 33, "déjà", "1;2"]),
    "channel": (["whatsapp", "Viber", "none"], ["", "1a", "a-b", "x" * 33]), "country": (["GB", "de", "ZZ"], ["", "G", "GBR", "1A"]),
    "cursor": ([], ["", "AZ", "A" * 2049, "not+base64", "AZpewJYnKhUSlS9IQDIwMjYtMTEtMjM", "\u00e9"]),
}
PRODUCTS, NO_PRODUCTS = ["sms", "voice", "video", "messaging"], ["SMS", "fax", "", "sms ", "%73ms"]
NO_ACCOUNTS = ["no_such", "a", "x" * 64, "x" * 65, "x" * 480, "ACME_RETAIL", "acme retail", "acme%retail", "äcme", "..%20", "null&void ", "a+b", "%25zz", "\ufffd"]
NO_RECORDS = ["u-1", "s:1", "m-eZz", "x" * 256, "x" * 513, "a b", "+", "ü", "%", "a%25b", "a&b=c?d"]
ACCEPTS = [(), ("application/json",), ("text/csv",), ("text/csv",), ("*/*",), ("text/csv;q=0.5, application/json",), ("text/*",), ("application/xml",),
           ("text/csv; header=absent",), ("application/json;q=0",), ("nonsense",), ("text/csv", "application/json"), ("",)]
METHODS = ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Contract:
    """openapi.yaml, with its references followed."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.document = yaml.safe_load(file)

    def follow(self, value):
        while "$ref" in value:
            target = self.document
            for name in value["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            value = target
        return value

    def operations(self):
        """Each path with its parameters: (name, schema) of its query, in the document's order."""
        for path, item in self.document["paths"].items():
            parameters = [self.follow(p) for p in item.get("parameters", []) + item["get"].get("parameters", [])]
            yield path, [(p["name"], self.follow(p["schema"])) for p in parameters if p["in"] == "query"]


class Drawer:
    """Draws requests."""

    def __init__(self, contract, known, seed):
        self.contract, self.known, self.random = contract, known, random.Random(seed)

    def values(self, name, schema):
        """Of a parameter, lists of values to send: good ones, and bad ones."""
        good, bad = (list(values) for values in TEXTS.get(name, ([], [""])))
        follow = self.contract.follow
        inner = follow(schema["items"]) if schema.get("type") == "array" else schema
        if "enum" in inner:
            good, bad = list(inner["enum"]), ["", inner["enum"][0].upper(), inner["enum"][0] + " ", "no_such"]
        elif inner.get("type") == "integer":
            low, high = inner["minimum"], inner["maximum"]
            good = [str(n) for n in (low, low + 1, high, inner.get("default", low))]
            bad = ["", str(low - 1), str(high + 1), "-1", "1.5", "0x10", "+5", "５", "1e2", " 5", "9" * 30]
        elif inner.get("type") == "boolean":
            good, bad = ["true", "false"], ["", "TRUE", "1", "yes"]
        return good, bad

    def escaped(self, text):
        """A text for a path or a query, in one of the ways in which it may be encoded."""
        way = self.random.randrange(4)
        if way == 0:
            return "".join(f"%{b:02x}" for b in text.encode())
        if way == 1:
            return urllib.parse.quote_plus(text, safe=":")
        return urllib.parse.quote(text, safe="-._~")

    def query(self, parameters, faults):
        """A query of some parameters, a number of which are badly filled, doubled or unknown."""
        pairs = []
        chosen = [p for p in parameters if self.random.random() < 0.35]
        for name, schema in chosen:
            good, _ = self.values(name, schema)
            for _ in range(self.random.randint(1, 3) if schema.get("type") == "array" else 1):
                if good:
                    pairs.append((name, self.random.choice(good)))
        for _ in range(faults):
            kind = self.random.randrange(4)
            if kind < 2 and parameters:
                name, schema = self.random.choice(parameters)
                pairs.append((name, self.random.choice(self.values(name, schema)[1])))
            elif kind == 2 and pairs:
                pairs.append(self.random.choice(pairs))
            else:
                pairs.append((self.random.choice(["apikey", "Limit", "page", "", "a[]", "limit "]), self.random.choice(["", "1", "x y"])))
        self.random.shuffle(pairs)
        return "&".join(f"{self.escaped(n)}={self.escaped(v)}" for n, v in pairs)

    def credential(self, partner):
        """Authorization headers: usually the partner's key, else another's or something that is none."""
        key = self.known.keys[partner]
        other = self.random.choice(list(self.known.keys.values()))
        spoilt = key[:-1] + ("a" if key[-1] != "a" else "b")
        bad = [(), ("",), (key,), (f"bearer {key}",), (f"Bearer  {key}",), (f"Bearer {spoilt}",), ("Bearer pvk_wrong",), ("Basic dXNlcjpwYXNz",), (f"Bearer {key}, Bearer {key}",),
               (f"Bearer {key}", f"Bearer {other}"), (f"Bearer {other}",), ("Bearer eyJhbGciOiJub25lIn0.e30.",), ("Bearer " + "A" * 2000,), (f"Bearer {key} ",)]
        values = (f"Bearer {key}",) if self.random.random() < 0.8 else self.random.choice(bad)
        return tuple(("Authorization", v) for v in values)

    def path(self, template, partner):
        """A path of a template: most often to what is there."""
        known = self.random.random() < 0.8
        mine = [r for r in self.known.records if r[0] == partner]
        if known and "{recordId}" in template and mine:
            _, account, product, record = self.random.choice(mine)
        else:
            account = self.random.choice(self.known.accounts[partner] if known and self.known.accounts[partner] else NO_ACCOUNTS + self.known.accounts["northwind"][:3])
            product = self.random.choice(PRODUCTS if self.random.random() < 0.9 else NO_PRODUCTS)
            record = self.random.choice(NO_RECORDS)
        for name, value in (("{accountId}", account), ("{product}", product), ("{recordId}", record)):
            template = template.replace(name, self.escaped(value))
        return template

    def draw(self):
        """One request."""
        partner = self.random.choices(list(self.known.keys), weights=(6, 3, 1))[0]
        template, parameters = self.random.choice(list(self.contract.operations()))
        path = self.path(template, partner)
        query = self.query(parameters, self.random.choice([0, 0, 0, 1, 1, 2]))
        if path in self.known.cursors and self.random.random() < 0.5:
            query = "cursor=" + self.known.cursors[path]
        headers = list(self.credential(partner))
        headers += [("Accept", a) for a in self.random.choice(ACCEPTS)]
        headers += self.random.choice([[], [], [("Accept-Encoding", "gzip")], [("Accept-Encoding", "br, gzip;q=0")]])
        method, body = "GET", b""
        if self.random.random() < 0.08:
            method = self.random.choice(METHODS)
            body = b"" if method in ("HEAD", "OPTIONS") else self.random.choice([b"", b"{}", b"limit=5", "ü".encode()])
        return Ask(method, path + ("?" + query if query else ""), tuple(headers), body)


def hostile(known):
    """Requests that nobody sends by accident, each with a key and without."""
    account, record = known.accounts["northwind"][0], known.records[0]
    log = f"/customers/{record[1]}/usage/{record[2]}"
    paths = [
        "/", "/nowhere", "/customers/", "/customers//", "//customers", "/./customers", "/customers/..", "/customers/%2e%2e/me", "/%63ustomers", "/CUSTOMERS", "/customers;a=b",
        "/customers/a%2Fb", "/customers/%2F", "/customers/a%252Fb", "/customers/%25zz", "/customers/%00", "/customers/%ff", "/customers/%C3%28", "/customers/a%3Fb", "/customers/a%23b",
        "/customers/a;b", "/customers/a,b", "/customers/a:b", "/customers/*", "/customers/?", "/customers/%20", "/customers/+", "/customers/null&void", "/customers/null%26void",
        f"/customers/{account}/", f"/customers/{account}/usage/", f"/customers/{account}/usage//sms", f"/customers/{account}/nothing", f"/customers/{account}%20", f"/customers/%20{account}",
        f"/customers/{record[1]}/usage/%25{ord(record[2][0]):02x}{record[2][1:]}",
        log + "/a%3Fb", log + "/" + "%78" * 256, log + "/", log + "/%2F", log + "/a/b", log + "/a+b", log + "?", log + "?&", log + "?=", log + "?limit", log + "?limit=1&limit=1", log + "?limit=1;order=asc", log + "?limit=%31", log + "?%6cimit=1",
        log + "?limit=1%23x", log + "?from=2026-11-01&from=", log + "?toLast4=%30%31%32%33",
        log + "?status=delivered,read", log + "?status=" + "&status=x" * 99,
        log + "?a=%zz", log + "?limit=%", log + "?search=%ff%fe", log + "?limit=1&" + "&".join(f"x{i}=1" for i in range(300)), log + "?cursor=" + "A" * 3000,
        "/customers?search=" + "x" * 3000, "/customers?search=%00", "/customers?search=a+b%2Bc", "/customers?limit=5&limit=", "/customers?search=%F0%9F%98%80",
        "/customers/" + "x" * 700, "/customers/" + "x" * 1700, "/customers/" + "%41" * 200, "/summary?groupBy=day&groupBy=day", "/summary?groupBy=", "/summary?groupBy=day,product", "/me?x=1",
        "/openapi.yaml", "/openapi.yaml/", "/openapi.yaml?x=1", "/assets/", "/assets/main.js", "/index.html", "/favicon.ico", "/.env", "/v1/customers", "/robots.txt",
    ]
    key = [("Authorization", "Bearer " + known.keys["northwind"])]
    asks = [Ask("GET", path, tuple(headers)) for path in paths for headers in (key, [])]
    forged = [("X-GoLambdaProxy-ApiGw-Context", '{"authorizer":{"partnerId":"northwind","narrowed":"no"}}'), ("X-Amzn-Requestid", "mine"), ("X-Forwarded-For", "203.0.113.9"),
              ("X-HTTP-Method-Override", "DELETE"), ("X-Api-Key", "x"), ("Host", "example.com"), ("Content-Type", "application/json"), ("X-Long", "x" * 7000),
              ("If-None-Match", "*"), ("Range", "bytes=0-9"), ("Origin", "https://example.com"), ("Cookie", "a=b; c=d"), ("X-Note", "ü"),
              ("X-Much", "x" * 9000), ("X-Much", "x" * 12000)]
    asks += [Ask("GET", path, tuple(headers + [header])) for header in forged for path in ("/customers?limit=2", "/", "/openapi.yaml") for headers in (key, [])]
    asks += [Ask(method, path, tuple(key)) for method in [*METHODS, "TRACE", "PROPFIND", "get"] for path in ("/", "/customers", f"/customers/{account}", log, "/me", "/openapi.yaml", "/nowhere")]
    # "kitebird" is not southbank's, however often its k is encoded.
    asks += [Ask("GET", f"/customers/{k}itebird{rest}", (("Authorization", "Bearer " + known.keys["southbank"]),)) for k in ("k", "%6b", "%256b", "%25%36%62", "%25256b") for rest in ("", "/usage/sms")]
    asks += [Ask("GET", path, (("Authorization", key[0][1] + " "),)) for path in ("/me", "/customers")]
    asks += [Ask("GET", path, (*key, ("Accept-Encoding", "gzip"))) for path in ("/openapi.yaml", log + "?limit=50", "/", "/me")]
    asks += [Ask("POST", "/", tuple(key), body) for body in (b"{}", b"\xff\xfe", b"x" * 100_000, "ü".encode() * 10)]
    return asks
