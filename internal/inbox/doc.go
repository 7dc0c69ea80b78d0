// Package inbox imports the files that are put into the inbox, a bucket, one call of
// a function after the other. A call takes the state of an import and answers with the
// next: the state machine of template.yaml goes by its outcome. The package owns that
// state, the folders of the bucket and what is written there of an import; how files
// are read and loaded it leaves to package operator, as partnerctl does.
//
// A call ends in its time, and a file may take many. Each call but the first passes over
// the rows that those before it have loaded, by the line where they begin: that is one way
// for files with and without a header, packed or not. A call that dies is repeated with the
// state it was given. What it wrote by then is written again, which changes nothing.
//
// Invariants:
//   - The state never holds a record, and nothing that is written here or logged holds
//     what a rejected line held, a number beyond its last four digits, or a file's name
//     with five digits or more in a row.
//   - A file is deleted or moved only as the one that was imported: by its ETag.
//   - Memory does not grow with a file.
package inbox
