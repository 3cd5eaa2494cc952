// Package consoletest is a small company whose requests stand in every state there is, made by the product's own code
// over SQLite stores, for tests of the pages that show them.
package consoletest
