// Calls the API through a client that openapi-generator's typescript-fetch made
// of openapi.yaml. tools/clients says what each of these programs does and prints.
import { Configuration, CustomersApi, InvalidParameterProblemFromJSON, Product, ProblemFromJSON, ResponseError, UsageApi } from "./generated/typescript-fetch/index.js";

const { PARTNERVIEW_URL: basePath = "", PARTNERVIEW_KEY = "", ACCOUNT: accountId = "", FROM: from = "", TO: to = "" } = process.env;
const configuration = new Configuration({ basePath, accessToken: PARTNERVIEW_KEY });
const usage = new UsageApi(configuration);

// What a call is refused with.
async function refusal(call: Promise<unknown>): Promise<Response> {
  try {
    await call;
  } catch (e) {
    if (e instanceof ResponseError) return e.response;
    throw e;
  }
  throw new Error("it is not refused");
}

let customers = 0;
let products: Product[] = [];
for (let cursor: string | null | undefined; cursor !== null; ) {
  const page = await new CustomersApi(configuration).listCustomers({ limit: 7, ...(cursor && { cursor }) });
  for (const customer of page.data) {
    customers++;
    if (customer.accountId === accountId) products = [...customer.products];
  }
  cursor = page.nextCursor;
}
console.log("customers", customers);

let rated = ""; // the id of the newest SMS with a rated price
for (const product of products) {
  let records = 0;
  let quantity = 0;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await usage.listUsage({ accountId, product, from, to, limit: 25, ...(cursor && { cursor }) });
    for (const record of page.data) {
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
    cursor = page.nextCursor;
  }
  console.log(product, records, quantity);
}

const one = await usage.getUsageRecord({ accountId, product: Product.Sms, recordId: rated });
const { price } = one;
if (price.status !== "rated") throw new Error(price.status);
const why = price.explanation;
console.log("price", one.id, price.status, price.amount, price.currency, why.unitPrice, why.unit, why.quantity);

const bad = await refusal(usage.listUsage({ accountId, product: Product.Sms, limit: 0, toLast4: "12345" }));
const problem = InvalidParameterProblemFromJSON(await bad.json());
console.log(String(bad.status), problem.code, problem.errors.map((e) => e.parameter).join(","));

const denied = await refusal(new CustomersApi(new Configuration({ basePath, accessToken: "pvk_wrong" })).listCustomers());
console.log(String(denied.status), ProblemFromJSON(await denied.json()).code);
