package main

// helpTexts are what each command's help says of it beyond one line: the arguments of
// an example that may be pasted, and a text that stands before it.
var helpTexts = map[string]struct{ example, text string }{
	"apply":               {"-f directory.yaml --dry-run", `The whole file is checked before anything is written. A key that is left out keeps its stored value; what the file does not name stays. Applying a file again changes nothing. You are asked to confirm only if the file corrects prices of the past. Price lists and time zones change totals: the days that they touch are counted anew, after it was said how many.`},
	"partner list":        {"", `An active partner has access; a suspended one is refused, whatever its keys.`},
	"partner show":        {"northwind", `Customers are listed in the order in which the partner sees them.`},
	"partner suspend":     {"northwind", `Its grants and keys stay as they are. What changes is shown first, and the partner's id has to be typed. The API refuses the partner within AuthorizerTtlSeconds of template.yaml, a minute by default.`},
	"partner resume":      {"northwind", `Keys that were revoked or have expired in the meantime stay so.`},
	"partner delete":      {"northwind --dry-run", `Its access keys and grants are deleted with it; customers and usage stay. What will be deleted is shown first, and the partner's id has to be typed. The keys are revoked before anything is deleted. A key that leaks later is then unknown to key find: to keep that, suspend the partner instead. If the partner is in a usage plan, give --stack, so that it is taken out of it.`},
	"partner set-plan":    {"northwind silver --stack partnerview", `The stack must have plans: its parameter UsagePlans is prepared or true. While a partner moves from one plan to another, its requests may get 503 for a moment; they are never let through uncounted. If it is interrupted, run the command again.`},
	"grant add":           {"northwind acme_retail --products sms,voice", `An existing grant gets the products given here: to widen or narrow it, add it again. The partner's other grants stay. If the API has refused the customer, it may go on doing so for AuthorizerTtlSeconds of template.yaml.`},
	"grant remove":        {"northwind acme_retail --dry-run", `What changes is shown first, and the partner's id has to be typed. The partner's other grants stay.`},
	"grant list":          {"--account acme_retail", `A grant shows all products that the customer has, or only those that it names.`},
	"key create":          {"--partner northwind --label ci --expires 90d", `Only a digest of the key is stored: it cannot be shown again. Without --customer and --customers-from, it sees all customers of the partner, also those that the partner will have.`},
	"key show":            {"4fzyo82mXw3b", `A narrowed key sees what is on its own list and granted to its partner, product by product: each customer is shown with what that comes to now.`},
	"key narrow":          {"4fzyo82mXw3b --customer acme_retail=sms,voice", `The customers replace those that the key has seen. It never sees more than its partner: what the partner loses, the key loses with it. The API may go by what was so before for AuthorizerTtlSeconds of template.yaml, a minute by default.`},
	"key widen":           {"4fzyo82mXw3b --customer acme_retail", `The key sees these customers beside those that it sees already; of one that it sees, these products too.`},
	"viewer add":          {"--partner northwind --subject ann --customer acme", `Who is on no list sees what OidcDefaultAccess of the stack says: all of the partner's customers, or none. Who is added again has this list in place of the one before, also one who was removed. A person never sees more than the partner.`},
	"viewer list":         {"--partner northwind", `Who is removed is refused, until they are added again, or forgotten by viewer remove --forget.`},
	"viewer show":         {"--partner northwind --subject 5f2c", `A person sees what is on their own list and granted to the partner, product by product: each customer is shown with what that comes to now.`},
	"viewer remove":       {"--partner northwind --subject 5f2c", `The API refuses the person, with a list or without, within AuthorizerTtlSeconds of template.yaml, a minute by default, and goes on doing so until they are added again, or forgotten.`},
	"key list":            {"--partner northwind", `A key is identified by its id, which follows pvk_, and by its last four characters.`},
	"key find":            {"pvk_4fzyo82mXw3b_", `The secret is neither needed nor repeated. Text read from standard input, such as a log, a file or a pull request, stays out of the shell's history.`},
	"key rotate":          {"4fzyo82mXw3b --overlap 3d", `The partner has until the end of the overlap to switch its programs over. An overlap never makes the old key last longer.`},
	"key revoke":          {"4fzyo82mXw3b", `The API caches its decisions and refuses the key within AuthorizerTtlSeconds of template.yaml, a minute by default. With --all the keys are shown first, and the partner's id has to be typed.`},
	"customer list":       {"--search acme", `Order and search work as in the API.`},
	"customer show":       {"acme_retail", `Its price lists are shown by partnerctl price show, its records by partnerctl usage get.`},
	"customer delete":     {"acme_retail --with-usage --dry-run", `Its price lists and every grant of it are deleted with it. What will be deleted is shown first, and the account ID has to be typed. A customer that has usage records is deleted only together with them: whoever is granted a new customer with the same account ID would see them. The grants go first. Backups keep what was deleted as long as they are kept: 35 days, where the tables are recovered by point in time.`},
	"customer set-credit": {"acme_retail --remaining 1520.73", `A credit that is older than the stored one does not replace it.`},
	"price show":          {"acme_retail sms --at 2026-03-01", `All lists are shown, and the rates of the one in force. Programs get all rates of all lists.`},
	"price check":         {"-f prices.yaml --stored", `Every fault is reported with its line, and the exit code is then 1. The rest of the file is checked too.`},
	"price withdraw":      {"acme_retail sms --from 2026-12-01 --dry-run", `The list before it, if there is one, then stays in force until the next. Without --correct-past, only a list that has not taken effect yet is withdrawn, and you are not asked to confirm.`},
	"price explain":       {"acme_retail sms --country DE --segments 2", `What is left out is unknown in the record, and matches no rate that names it.`},
	"import usage":        {"--format connect-sms-csv exports/2026-05", `Lines that cannot be taken are listed with their number, field and reason, and the rest is loaded; the exit code is then 3. When all is loaded, the totals of the days that have got records are counted. Loading a file again replaces its records by the same ones. If an import is interrupted, just run it again.`},
	"import credit":       {"credit-2026-06-01.csv", `A line gives an account, what it has left, and as of when; it may give the currency, which must then be the customer's. A credit never replaces a later one, so files may come in any order, and an interrupted import is simply run again. Nothing but the customer's credit changes.`},
	"import list":         {"--failed --since 2026-11-01", `Every file that import usage or import credit has loaded is noted for 400 days, the newest is shown first; dry runs are not noted. What says running is at work, or was killed: after a day it counts as failed.`},
	"import show":         {"4fzyo82mxw3b", `The SHA-256 is of the file as it stands, packed or not. Of the customers whose data was written the first 100 are named.`},
	"usage get":           {"acme_retail --product sms --from 2026-11-01", `For programs it writes one object per line, in the form that partnerctl import usage reads (docs/formats.md).`},
	"usage delete":        {"acme_retail --last4 0123 --dry-run", `Without a flag that narrows it, all records of the customers are deleted. What would be deleted is counted and shown first, and the account ID has to be typed; for several accounts, their number, such as "2 accounts", and with --all-accounts "all accounts". If it is interrupted, just run it again. Backups keep what was deleted as long as they are kept: 35 days, where the tables are recovered by point in time.`},
	"usage mend-ids": {"--dry-run", `An import rejects an id that contains a number of its record, and stores WhatsApp's (wamid.…) as a hash; what an earlier version or another program stored may still have them. WhatsApp's get the hash, by which later imports and receipts find their records; others one at random, which no file can name. Of a number that is masked already only the last four digits can be compared: an id with 8 to 15 digits in a row that ends in them is taken for it.

Records that are moved are stored as an import would: with masked numbers, without names and contents. What is found is shown first, and the account ID, or "all", has to be typed. Every record is read, twice. If it is interrupted, just run it again.`},
	"history":        {"--partner northwind --since 2026-11-01", `Every command that changes partners, grants, keys, people, customers, prices or stored records is noted for 400 days, the newest is shown first. Imports are listed by partnerctl import list. A change that touched more than 100 customers or partners is shown for each of them.`},
	"totals show":    {"acme_retail --from 2026-11-01", `Without --from, of the last 31 days. A pending day is being counted, or left for later: what is shown of it was counted before. Days are those of the customer's time zone.`},
	"totals check":   {"--account acme_retail", `Every record is read and priced, and nothing is written. Each difference is shown, and the exit code is then 1. Totals differ where something else than partnerctl has written into the table of usage: totals rebuild mends that. Days that are pending are not compared.`},
	"totals rebuild": {"--account acme_retail --from 2026-11-01", `It says first how much that is. Where partnerctl was not the one to write usage, and once on a stack that had usage before it had totals, nothing else brings the totals up to date; it also counts the days that --totals later has left. Until a day is counted, its totals are the former ones, and pending. If it is interrupted, just run it again: within a day it goes on where it was.`},
	"audit":          {"--account acme_retail --from 2026-11-01 -o csv", `Each answer that showed something of the customer is one look, by the audit lines of the functions' logs: a page of the list of customers, the customer, a page of a log, one record. Only counts are logged, never numbers or contents. With --stack the stack's log groups are asked, which costs by the size of what they have of the period; without it, the file that AUDIT_LOG names, as make run prints it. The summary says how far back each log goes.`},
	"doctor":         {"--stack partnerview", `It changes nothing. Each line says what was checked and, if something is wrong, how to fix it; the exit code is then 1.`},
	"version":        {"", `A build from a clone has no version of its own, and shows its commit.`},
	"completion": {"bash", `Put it where the shell reads it at its start:

  bash: partnerctl completion bash > ~/.local/share/bash-completion/completions/partnerctl

  zsh: partnerctl completion zsh > a folder of $fpath, as _partnerctl

  fish: partnerctl completion fish > ~/.config/fish/completions/partnerctl.fish`},
}
