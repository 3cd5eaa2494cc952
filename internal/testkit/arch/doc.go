// Package arch holds the tests that keep the shape of the code: who may import whom, and how large things may be.
package arch
