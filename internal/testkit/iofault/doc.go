// Package iofault breaks the disk under a real process: the N-th call that opens, writes, forces or renames a file below
// a folder fails. No seam in the program is needed and none is trusted: the kernel asks the test before each such call
// (seccomp user notification), so that files of the database engine are broken like our own.
//
// The process to be broken calls Offer first; the test starts it with Run. Only Linux on amd64 has it; elsewhere, and where
// the kernel does not let us, Run gives ErrNotHere.
package iofault

import (
	"errors"
	"syscall"
)

// ErrNotHere is what Run gives where the kernel cannot be asked.
var ErrNotHere = errors.New("calls of another process cannot be broken here")

// Plan says what breaks.
type Plan struct {
	Below string        // only calls about files below this folder count
	At    int           // which of them fails, from 1; 0 breaks none
	With  syscall.Errno // how it fails
	Short bool          // a write does half of its work instead; the next call on the disk fails
	Stays bool          // all later ones fail too
}

// Call is one that counted.
type Call struct {
	Name string
	Path string // below the folder
}

// Broken is what came of a process.
type Broken struct {
	Calls []Call // all that counted, in order
	Lines []string
}
