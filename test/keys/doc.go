// Package keys holds Ombud's signer and the key service of its tests to the SDK of AWS, which the product does without.
package keys
