// Package importer turns the operator's files into domain values: the directory
// file into partners, customers and price lists ([ParseDirectory]), usage files,
// our own and the platform's exports, into masked records and receipts
// ([ReadUsage]), and files of remaining credit ([ReadCredit]).
//
// It owns the formats: which fields there are, what they may hold, what is
// dropped, and how a fault is worded. It writes nothing anywhere and knows no
// table: what can be judged only against stored data (does the account exist,
// does a currency contradict an older list) is for the caller, who gets the line
// of every entry and field to tell it with.
//
// Invariants:
//   - No full telephone number leaves the package: from and to are masked as they
//     are read, a contact's name and a message's content are dropped, an id that
//     tells a number of its record is rejected or hashed, and neither a fault nor
//     the name of a dropped field repeats a raw value that could be one. It is the
//     first of the three walls of docs/privacy.md; if it falls, raw numbers are stored.
//   - A bad line of usage never stops the good ones behind it, whatever it holds.
//   - Memory does not grow with a usage file: a line longer than a mebibyte is
//     rejected, not kept.
//
// The formats stand in docs/formats.md.
package importer
