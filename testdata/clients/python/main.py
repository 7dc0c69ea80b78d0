"""Calls the API through a client that openapi-python-client made of openapi.yaml.

tools/clients says what each of these programs does and prints.
"""

import os

from generated import AuthenticatedClient
from generated.api.customers import list_customers
from generated.api.usage import get_usage_record, list_usage
from generated.models import (
    CountExplanation,
    CustomerPage,
    InvalidParameterProblem,
    MessagingRecord,
    Problem,
    Product,
    RatedPrice,
    SmsRecord,
    UsagePage,
    VideoRecord,
    VoiceRecord,
)
from generated.types import UNSET, Unset

URL = os.environ["PARTNERVIEW_URL"]
ACCOUNT = os.environ["ACCOUNT"]


def main() -> None:
    client = AuthenticatedClient(URL, token=os.environ["PARTNERVIEW_KEY"], raise_on_unexpected_status=True)

    customers = 0
    products: list[Product] = []
    cursor: str | Unset = UNSET
    while True:
        listed = list_customers.sync(client=client, limit=7, cursor=cursor)
        assert isinstance(listed, CustomerPage), listed
        for customer in listed.data:
            customers += 1
            if customer.account_id == ACCOUNT:
                products = customer.products
        if listed.next_cursor is None:
            break
        cursor = listed.next_cursor
    print("customers", customers)

    rated = ""  # the id of the newest SMS with a rated price
    for product in products:
        records = quantity = 0
        cursor = UNSET
        while True:
            page = list_usage.sync(
                ACCOUNT,
                product,
                client=client,
                from_=os.environ["FROM"],
                to=os.environ["TO"],
                limit=25,
                cursor=cursor,
            )
            assert isinstance(page, UsagePage), page
            for record in page.data:
                records += 1
                match record:
                    case SmsRecord():
                        quantity += record.segments or 0
                        if isinstance(record.price, RatedPrice) and not rated:
                            rated = record.id
                    case VoiceRecord():
                        quantity += record.duration_seconds or 0
                    case VideoRecord():
                        quantity += record.participants or 0
                    case MessagingRecord():
                        quantity += record.channel is not None
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
        print(product, records, quantity)

    one = get_usage_record.sync(ACCOUNT, Product.SMS, rated, client=client)
    assert isinstance(one, SmsRecord), one
    price = one.price
    assert isinstance(price, RatedPrice), price
    why = price.explanation
    assert isinstance(why, CountExplanation), why
    print("price", one.id, price.status, price.amount, price.currency, why.unit_price, why.unit, why.quantity)

    refused = list_usage.sync(ACCOUNT, Product.SMS, client=client, limit=0, to_last_4="12345")
    assert isinstance(refused, InvalidParameterProblem), refused
    print("400", refused.code, ",".join(error.parameter for error in refused.errors))

    denied = list_customers.sync(client=AuthenticatedClient(URL, token="pvk_wrong"))
    assert isinstance(denied, Problem), denied
    print("401", denied.code)


main()
