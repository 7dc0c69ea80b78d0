// Package dynamo keeps partners, customers, price lists and usage in DynamoDB.
// It is the only package that knows DynamoDB: tables, keys, expressions, and the
// SDK's errors, which it turns into the kinds of package fault by type.
//
// There are six tables. All times in them are texts in [usage.TimeLayout], so
// that their order is that of time; all decimals are texts in plain notation. An
// attribute that is listed as optional is absent where it is unknown: there are
// no NULL attributes. Names of attributes are the contract of template.yaml,
// whose policies list, per function, those that it may read.
//
// # Partners
//
// Partition key pk (S), sort key sk (S).
//
//	partner    pk  PARTNER#northwind
//	           sk  PROFILE
//	           name    S  "Northwind Resellers"
//	           status  S  "active" | "suspended"
//	           gatewayKeyId  S  optional: API Gateway's id of the key that counts the partner's requests
//	           gatewayKey    S  optional: that key's value, which is shown to nobody
//	           version  S  optional: another after each change of status, grants, people and lists
//	           notes    M  optional: what commands changed since a file said the same: directory.NoteOf →
//	                       S "2026-11-27T10:00:00.120Z grant add". No function may read the two
//
//	grant      pk  PARTNER#northwind
//	           sk  GRANT#acme_retail
//	           accountId  S  "acme_retail"
//	           name       S  "Acme Retail GmbH", a copy of the customer's
//	           sortKey    S  "acme retail gmbh\x00acme_retail": directory.SortKey
//	           products   L of S  optional: the grant shows only these
//
//	key        pk  KEY#4fzyo82mXw3b
//	           sk  PROFILE
//	           partnerId  S  "northwind"
//	           hash       B  SHA-256 of the secret, 32 bytes
//	           narrowed   S  optional: "yes": it sees the customers of its own list alone
//	           lastFour   S  optional: "x7Qa", the last four characters of the key, which
//	                         are of its checksum; the authorizer does not read them
//	           label      S  optional
//	           createdAt  S
//	           expiresAt  S  optional: from then on the key does not count
//	           revokedAt  S  optional: the key does not count
//
//	person     pk  VIEWER#northwind#0123…: directory.PersonID
//	           sk  PROFILE
//	           status     S  "active" | "removed"
//	           issuer     S  "https://login.example.com/"
//	           subject    S  "auth0|5f2c", which no function may read
//	           label      S  optional, which no function may read
//	           createdAt  S
//	           removedAt  S  of a removed one
//
//	own grant  pk  VIEWER#northwind#4fzyo82mXw3b, or #0123…: on the list of a key or a person
//	           sk  GRANT#acme_retail
//	           and all else as in a grant. It shows no more than the partner's grant does
//
//	reference  pk  PARTNER#northwind
//	           sk  KEY#4fzyo82mXw3b, or VIEWER#0123…: one of the partner's keys or people. It is
//	           written before the key or person, which may be missing after an interruption
//
// Index ByName: pk, sortKey; with accountId, name and products; holds the grants,
// since only they have a sortKey. It lists and searches the customers of a partner or
// a narrowed viewer. Index ByAccount: accountId, pk; keys only; holds the grants. It
// tells who is granted a customer.
//
// # Customers
//
// Partition key accountId (S).
//
//	customer   accountId        S  "acme_retail"
//	           name             S  "Acme Retail GmbH"
//	           products         L of S  ["sms", "voice"]
//	           currency         S  "EUR"
//	           billingMode      S  "prepaid" | "postpaid"
//	           remainingCredit  S  optional: "1520.73"
//	           creditLimit      S  optional
//	           creditAsOf       S  optional
//	           timeZone         S  optional: "Europe/Berlin"; absent: UTC
//	           subAccounts      L of S  optional: names in the platform's exports
//
// # PriceLists
//
// Partition key log (S), sort key effectiveFrom (S).
//
//	list       log            S  "acme_retail#sms"
//	           effectiveFrom  S  "2026-01-01T00:00:00.000Z"
//	           currency       S  "EUR"
//	           chargeOn       S  optional: "submitted" | "delivered"
//	           scale          N  6
//	           mode           S  "half-up" | "half-even" | "up"
//	           rates          S  JSON, one object a rate; see rateJSON
//	           revision       S  changes whenever the list does
//
// # Usage
//
// Partition key log (S), sort key at (S); TTL attribute expiresAt.
//
//	record     log   S  "acme_retail#sms"
//	           at    S  "2026-11-03T10:00:00.120Z#u-1": timestamp, "#", id
//	           byId  S  "acme_retail#sms#u-1"
//	           and the fields of the record: recordFields, in record.go, lists them
//	           movedTo  S  optional: the id that the record is being moved to, since
//	                       its own tells a number; the record is deleted next
//
// Index ById: byId, at; keys only. It finds one record by its id.
//
// # Totals
//
// Partition key pk (S), sort key sk (S). All of it can be counted again from Usage.
//
//	day        pk  acme_retail#sms
//	           sk  DAY#2026-11-03
//	           zone       S  "Europe/Berlin": whose day it is
//	           groups     S  what the day comes to: totals.Sheet as text; absent in a day of parts,
//	                         and in one that was emptied
//	           parts      N  optional: into how many parts it is split; with it
//	           set        S    the mark in their keys
//	           digest     S    of the whole text, by which a count knows that nothing has changed
//	           coarse     S    totals.Sheet.Coarse as text, for the month
//	           partsLeft  S  optional, "yes": parts of former counts may be there
//	           updatedAt  S  when the totals last changed
//	           expiresAt  N  optional: seconds since 1970; the earliest of its records'
//	           mark       S  of the count that made it
//	           stale      S  optional: the mark of whoever is writing into it
//
//	part       pk  acme_retail#sms
//	           sk  PART#2026-11-03#<mark>#0001: parts are written before the head that names
//	               their mark; those of the count before stay, older ones go a day later
//	           groups     S  some lines of the day's text
//	           at         S  when they were written
//
//	log        pk  acme_retail#sms
//	           sk  LOG
//	           firstDay, lastDay  S  optional: of its days with records
//	           loadedThrough      S  optional: the time of its newest record, or what an import said
//	           statedThrough      S  optional: what an import said, which a count does not take back
//	           loadedAt           S  optional: when records were last loaded
//	           updatedAt          S  the newest of its days'
//	           pricesChangedAt    S  optional: when a price list last changed
//	           mark, stale        as of a day
//
//	month      pk  acme_retail
//	           sk  MONTH#2026-11
//	           zone       S  as of a day
//	           sms, voice, video, messaging  M  optional, of all days of that log:
//	             groups     S  totals.Sheet.Coarse as text
//	             lastDay    S  optional: of its days with records
//	             updatedAt  S  the newest of its days'
//	             expiresAt  N  optional: the earliest of its days'
//	           mark, stale  as of a day; stale until the last of its days is counted
//
//	ready      pk  READY
//	           sk  READY
//	           at         S  since when all that Usage holds is counted
//
// # Ledger
//
// Partition key pk (S), sort key sk (S); TTL attribute expiresAt (N), seconds since 1970: what
// has none stays.
//
//	import     pk  IMPORTS#2026-11
//	           sk  2026-11-27T10:00:00.120Z#4fzyo82mxw3b: when it began, "#", id
//	           who        S  the caller's ARN, or a user's name
//	           source     S  "sms-2026-11.csv.gz", with five digits or more in a row masked
//	           sha256     S  optional: of the whole file as it stands, in hexadecimal
//	           bytes      N  that were read
//	           kind       S  "usage" | "credit"
//	           format     S  optional: "connect-sms-csv"
//	           fromTime, toTime  S  optional: of the first and the last record that was written
//	           counts     S  optional: JSON, as partnerctl has it
//	           accounts   L of S  optional: whose data was written, the first 100
//	           accountCount  N  how many there are
//	           endedAt    S  optional
//	           outcome    S  "running" | "done" | "rejected" | "failed" | "replaced"
//	           error      S  optional
//	           expiresAt  N  400 days after it began
//
//	event      pk  HISTORY#2026-11
//	           sk  2026-11-27T10:00:00.120Z#4fzyo82mxw3b: when it was, "#", id
//	           who        S  as of an import
//	           command    S  "grant add"
//	           text       S  what it changed, in one line
//	           partners, accounts  L of S  optional: whom it had to do with, the first 100 of each
//	           partnerCount, accountCount  N  how many there are
//	           summary    S  JSON: how many things of a kind were added, changed or removed
//	           incomplete S  optional, "yes": the command failed, and not all may be written
//	           expiresAt  N  400 days later
//
//	bytes      pk  IMPORTS#SHA#<sha256>
//	           sk  LAST: the newest import by which a file of these bytes was loaded
//	           startedAt, id  S  in its key
//	           expiresAt  N  as of that import
//
//	lease      pk  WRITER
//	           sk  LEASE
//	           term       N  how often it was taken
//	           holder     S  a random id, new at each taking; absent: nobody holds it
//	           what       S  "import usage", for those who wait
//	           where      S  "host/pid" of the holder
//	           process    S  of the holder; empty: it cannot be told. By it another on the same
//	                         machine knows that the holder is gone
//	           work       S  of the holder; empty: it is the only call of it. By it the next call of
//	                         the same work knows that the holder has ended
//	           takenAt    S  by the holder's clock
//	           renewedAt  S  when its last renewal began, by the holder's clock
//
//	open day   pk  WRITER
//	           sk  OPEN#acme_retail#sms#2026-11-03
//	           mark       S
//
//	rebuild    pk  WRITER
//	           sk  REBUILD: how far one has come that was not ended
//	           wanted     S  of what, in the words of whoever began it
//	           log, day   S  the last that was counted: "acme_retail#sms", "2026-11-03"
//	           at         S  when that was
//
//	later day  pk  WRITER
//	           sk  LATER#acme_retail#sms#2026-11-03: left for totals rebuild
//	           mark       S
//
// No key that is written here holds a telephone number. One that another pipeline
// wrote may; its id does not leave the package (usage.Log.StoredPosition).
package dynamo
