"""Asks AWS SAM's own gateway and ours the same, and holds the answers against each other; then hands hostile events to every
function. make proof-gateway calls it.

    .tools/sam/bin/python scripts/gateway [--seed N] [--requests N]

Ours is the product as make run starts it. SAM's serves the same template.yaml, and calls the same binaries under Lambda's own
emulator, on the same tables. What only one of the two does is entered in differences.py with its reason: anything else fails,
and so does an entry that explains nothing. The last line says what came of it; exit code 0: all held.
"""

import argparse
import collections
import concurrent.futures
import http.client
import json
import pathlib
import random
import signal
import sys
import urllib.parse

import answers
import asks
import data
import events
import processes
import sam
from differences import DIFFERENCES

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOWN = 40  # failures that are printed
AT_ONCE = 2  # requests
AGAIN = 5  # times that both are asked where one has failed: a machine may be so busy that an engine answers late


class Tally:
    """Counts claims, and prints those that do not hold."""

    def __init__(self):
        self.held, self.failed = 0, 0

    def claim(self, claim, holds, found):
        if holds:
            self.held += 1
            return
        self.failed += 1
        if self.failed <= SHOWN:
            print(f"FAIL  {claim}: {found}", flush=True)


def look(address, keys):
    """What there is to ask for, as the product itself tells it."""
    known = asks.Known(keys, {}, [], {})

    def get(partner, path):
        answer = answers.ask(address, "/v1", asks.Ask("GET", path, (("Authorization", "Bearer " + known.keys[partner]),)))
        page = json.loads(answer.body)
        if page.get("nextCursor"):
            known.cursors[path.split("?")[0]] = page["nextCursor"]
        return page.get("data", [])

    for partner in known.keys:
        customers = get(partner, "/customers?limit=100")
        known.accounts[partner] = [c["accountId"] for c in customers]
        for customer in customers:
            for product in customer["products"][:2]:
                account = urllib.parse.quote(customer["accountId"], safe="")
                for record in get(partner, f"/customers/{account}/usage/{product}?limit=2"):
                    known.records.append((partner, customer["accountId"], product, record["id"]))
        get(partner, "/customers?limit=2")
    return known


def failed(theirs):
    """Reports whether a function behind SAM's gateway has failed: its authorizer's way to say 401 is no failure."""
    return theirs.status >= 500 and theirs.header(sam.AUTHORIZER_SAID.lower()) != "Unauthorized"


def compare(wanted, ours_at, sams_at, tally):
    """Asks both everything: of each entry of the differences how many pairs it explained, and of each status how many there were."""
    explained, statuses = collections.Counter(), collections.Counter()

    def both(ask):
        try:
            for _ in range(AGAIN):
                ours, theirs = answers.ask(ours_at, "/v1", ask), answers.ask(sams_at, "", ask)
                if ours.status < 500 and not failed(theirs):
                    break
            return ask, ours, theirs
        except (OSError, http.client.HTTPException) as error:
            return ask, None, error

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for ask, ours, theirs in pool.map(both, wanted):
            if ours is None:
                tally.claim(str(ask), False, f"no answer: {theirs!r}")
                continue
            statuses[ours.status] += 1
            for name, _, explains in DIFFERENCES:
                if explains(ask, ours, theirs):
                    explained[name] += 1
            left = list(answers.departures(ours, theirs))
            tally.claim(str(ask), not left, "; ".join(left))
    return explained, statuses


def codes_of(contract):
    """The codes of problems that the contract documents."""
    found = set()

    def walk(value):
        if isinstance(value, dict):
            if isinstance(value.get("code"), str):
                found.add(value["code"])
            value = list(value.values())
        if isinstance(value, list):
            for v in value:
                walk(v)

    walk(contract.document)
    return found


def list_met(title, reasons, met, tally):
    """Prints what was listed, with how often it was met: once at least, or the entry is stale."""
    print(title)
    for name, reason in reasons.items():
        print(f"  {met[name]:5} x {name}: {reason}")
        tally.claim(name, met[name], "it was not met: take the entry out")


def prove(seed, requests, tally):
    """Everything; the counts that the last line tells."""
    contract = asks.Contract(ROOT / "openapi.yaml")
    with processes.workplace() as folder, processes.product(ROOT, folder) as ready:
        ours_at = urllib.parse.urlsplit(ready["baseUrl"]).netloc
        misread = collections.Counter()
        functions = list(sam.functions(ROOT, ready, processes.NOW, misread))
        with processes.emulators(functions, folder) as emulators, sam.gateway(ROOT, emulators, misread) as (sams_at, runner):
            print(f"{len(emulators)} functions under Lambda's emulator, behind SAM's gateway, beside ours", flush=True)
            known = look(ours_at, data.load(ROOT, ready))
            drawer = asks.Drawer(contract, known, seed)
            wanted = [drawer.draw() for _ in range(requests)] + asks.hostile(known)
            explained, statuses = compare(wanted, ours_at, sams_at, tally)
            print(f"{len(wanted)} requests: " + ", ".join(f"{n} x {status}" for status, n in sorted(statuses.items())))
            list_met("what SAM reads otherwise in the template:", sam.MISREAD, misread, tally)
            list_met("what only one of the gateways does:", {name: reason for name, reason, _ in DIFFERENCES}, explained, tally)
            events.hand_over(emulators, runner.kept, codes_of(contract), tally.claim)
            ended = events.import_file(emulators[events.IMPORTER], ready["inboxUrl"], "\n".join(data.records()).encode())
            tally.claim("a file is imported under the emulator", ended.get("outcome") == "done", ended)
    return len(wanted), len(emulators), len(events.EVENTS)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--requests", type=int, default=1000, help="how many are drawn from openapi.yaml")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended
    print(f"gateway: seed {arguments.seed}, {arguments.requests} requests from openapi.yaml, and the hostile ones", flush=True)
    tally = Tally()
    requests, functions, hostile = prove(arguments.seed, arguments.requests, tally)
    print(f"gateway: {requests} requests to both gateways and {hostile} hostile events to each of {functions} functions: "
          f"{tally.held} claims held, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
