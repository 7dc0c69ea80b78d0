"""What is in the tables that both gateways read: three partners, one of them suspended, customers with odd names, and some usage of
each product, brought in by partnerctl. Everybody in it is invented."""

import json
import os
import subprocess

from processes import NOW, Failed

ATTEMPTS, SLOW = 20, "run the same command again, which is safe"  # on a busy machine an engine answers late
TIMEOUT = 300  # seconds
ALL, ACCOUNTS = "sms, voice, video, messaging", ["acme_retail", "null&void", "north-sea_ferries.and&islands", "kitebird", "KiteBird", "o&o", "zoes_cafe", "equals_sum"]
DIRECTORY = f"""
partners:
  - {{id: northwind, name: Northwind Resellers, customers: [{", ".join('{accountId: "' + a + '"}' for a in ACCOUNTS)}]}}
  - {{id: southbank, name: Southbank Connect, customers: [{{accountId: acme_retail, products: [sms]}}, {{accountId: "null&void", products: [voice]}}, {{accountId: zoes_cafe}}]}}
  - {{id: eastgate, name: Eastgate Telecom, status: suspended, customers: [{{accountId: acme_retail}}]}}
customers:
  - {{accountId: acme_retail, name: Acme Retail GmbH, products: [{ALL}], currency: EUR, billingMode: prepaid, remainingCredit: "12.5", creditAsOf: {NOW}, timeZone: Europe/Berlin}}
  - {{accountId: "null&void", name: "Null & Void, Ltd.", products: [sms], currency: GBP, billingMode: postpaid}}
  - {{accountId: "north-sea_ferries.and&islands", name: Ferries of the North Sea, products: [sms, voice], currency: EUR, billingMode: postpaid}}
  - {{accountId: kitebird, name: Kitebird, products: [messaging], currency: USD, billingMode: prepaid, remainingCredit: "-3", creditAsOf: {NOW}}}
  - {{accountId: KiteBird, name: "Änne Köhler 日本", products: [sms], currency: USD, billingMode: postpaid}}
  - {{accountId: o&o, name: "O&O <Trade>", products: [video], currency: EUR, billingMode: postpaid}}
  - {{accountId: zoes_cafe, name: "Zoë's Café", products: [video], currency: EUR, billingMode: postpaid}}
  - {{accountId: equals_sum, name: "=SUM(A1)", products: [sms], currency: EUR, billingMode: postpaid}}
priceLists:
  - {{accountId: acme_retail, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{{unitPrice: "0.085"}}, {{unitPrice: "0.0712", country: GB, direction: outbound}}]}}
  - {{accountId: acme_retail, product: voice, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{{unitPrice: "0.012", increment: {{first: 60, next: 1}}}}]}}
"""
OF_PRODUCT = {  # what a record has beside what all have
    "sms": {"direction": "outbound", "status": "delivered", "from": "Acme", "country": "GB", "segments": 2},
    "voice": {"direction": "inbound", "status": "completed", "from": "+1 202 555 0147", "country": "US", "durationSeconds": 61},
    "video": {"direction": None, "status": "completed", "durationSeconds": 90, "participants": 3},
    "messaging": {"direction": "outbound", "status": "read", "from": "Acme", "country": "DE", "channel": "whatsapp"},
}
LOGS = [("acme_retail", "sms", 60), ("acme_retail", "voice", 12), ("acme_retail", "video", 6), ("acme_retail", "messaging", 12), ("null&void", "sms", 8), ("KiteBird", "sms", 3)]


def records():
    """The file of usage: of each log some records of two days."""
    for account, product, count in LOGS:
        for i in range(count):
            record = {"accountId": account, "product": product, "id": f"{product}:{i}", "timestamp": f"2026-11-{13 + i % 2}T10:{i % 60:02}:00.120Z"}
            if product != "video":
                record["to"] = f"+44 7700 900{100 + i}"
            yield json.dumps(record | OF_PRODUCT[product])


def partnerctl(root, ready, *arguments, stdin=""):
    """Runs a command on the product's tables, again where the engine was too slow for it: what it printed, as JSON."""
    tables = {name.upper() + "_TABLE": table for name, table in ready["tables"].items()}
    for _ in range(ATTEMPTS):
        ran = subprocess.run([root / "build" / "partnerctl", *arguments, "-o", "json", "--now", NOW, "--endpoint", ready["dynamodbEndpoint"]], input=stdin,
                             env={"PATH": os.environ["PATH"]} | tables, capture_output=True, text=True, timeout=TIMEOUT)
        if SLOW not in ran.stderr:
            break
    if ran.returncode != 0:
        raise Failed(f"partnerctl {' '.join(arguments)}: {ran.stderr or ran.stdout}")
    return json.loads(ran.stdout)


def load(root, ready):
    """Loads everything, and makes a key for each partner: by its id, the one that sees most first."""
    partnerctl(root, ready, "apply", "-f", "-", stdin=DIRECTORY)
    partnerctl(root, ready, "import", "usage", "-", stdin="\n".join(records()))
    return {partner: partnerctl(root, ready, "key", "create", "--partner", partner, "--label", "proof")["key"] for partner in ("northwind", "southbank", "eastgate")}
