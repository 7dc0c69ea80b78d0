// Calls the API through openapi-fetch, with the types that openapi-typescript
// made of openapi.yaml. tools/clients says what each of these programs does and prints.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/openapi-typescript/schema.js";

const { PARTNERVIEW_URL: baseUrl = "", PARTNERVIEW_KEY = "", ACCOUNT: accountId = "", FROM: from = "", TO: to = "" } = process.env;
// Lists have CSV too, which Accept asks for: without it all answers are JSON.
type Json = "application/json" | "application/problem+json";
const clientOf = (key: string) => createClient<paths, Json>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const client = clientOf(PARTNERVIEW_KEY);

let customers = 0;
let products: components["schemas"]["Product"][] = [];
for (let cursor: string | null | undefined; cursor !== null; ) {
  const { data, error } = await client.GET("/customers", { params: { query: { limit: 7, ...(cursor && { cursor }) } } });
  if (!data) throw new Error(error.code);
  for (const customer of data.data) {
    customers++;
    if (customer.accountId === accountId) products = customer.products;
  }
  cursor = data.nextCursor;
}
console.log("customers", customers);

let rated = ""; // the id of the newest SMS with a rated price
for (const product of products) {
  let records = 0;
  let quantity = 0;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { data, error } = await client.GET("/customers/{accountId}/usage/{product}", {
      params: { path: { accountId, product }, query: { from, to, limit: 25, ...(cursor && { cursor }) } },
    });
    if (!data) throw new Error(error.code);
    for (const record of data.data) {
      records++;
      switch (record.product) {
        case "sms":
          quantity += record.segments ?? 0;
          if (record.price.status === "rated") rated ||= record.id;
          break;
        case "voice":
          quantity += record.durationSeconds ?? 0;
          break;
        case "video":
          quantity += record.participants ?? 0;
          break;
        case "messaging":
          quantity += record.channel === null ? 0 : 1;
      }
    }
    cursor = data.nextCursor;
  }
  console.log(product, records, quantity);
}

const one = await client.GET("/customers/{accountId}/usage/{product}/{recordId}", {
  params: { path: { accountId, product: "sms", recordId: rated } },
});
if (!one.data) throw new Error(one.error.code);
const { price } = one.data;
if (price.status !== "rated") throw new Error(price.status);
const why = price.explanation;
console.log("price", one.data.id, price.status, price.amount, price.currency, why.unitPrice, why.unit, why.quantity);

const refused = await client.GET("/customers/{accountId}/usage/{product}", {
  params: { path: { accountId, product: "sms" }, query: { limit: 0, toLast4: "12345" } },
});
if (!refused.error || !("errors" in refused.error)) throw new Error("no errors");
console.log("400", refused.error.code, refused.error.errors.map((e) => e.parameter).join(","));

const denied = await clientOf("pvk_wrong").GET("/customers");
if (!denied.error) throw new Error("a wrong key is let in");
console.log("401", denied.error.code);
