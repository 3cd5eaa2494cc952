// Package cli is the command line: a grammar in structs, one file a noun. A command decodes what was typed, calls one
// exported method of a product package, and prints the answer: one JSON object on stdout with --json, else text for a
// person. Logs, progress and errors go to stderr. Exit codes are those of the public contract.
//
// A command that needs the data directory runs in the process that owns it. When that is another one, Run hands the
// command line over and copies what comes back; the other end is Run again, with the owner's services. Files that the
// command line names are read by whoever typed it.
package cli
