//go:build !(linux && amd64)

package iofault

import "os/exec"

// Offer does nothing here.
func Offer() {}

// Run gives ErrNotHere.
func Run(*exec.Cmd, Plan) (Broken, error) { return Broken{}, ErrNotHere }
