// Package app is the wiring: the only place that sees everything. An App owns one data directory; one process
// at a time does (a file lock that dies with the process). Whoever else runs a command on it hands the command line
// to the owner over a socket in that directory, so the ledger has one writer and its tree one history.
//
// Open builds the parts bottom up and Close ends them top down. A changed ombud.yaml is taken in between two
// commands, never under one.
package app
