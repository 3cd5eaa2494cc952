// Package bench holds `make bench`: Ombud against what an expert would write by hand.
//
// The experts' SQL lies in sql/, one folder per engine, to be read and to be beaten. Every number is
// a ratio of two measurements of one run, taken in turns (A B, then B A), the median of at least five
// rounds, with the smallest and the largest beside it; absolute times say little on a shared machine.
// Before anything is timed, both sides must give the same cells and leave the same database behind.
//
// All of it are tests, so that no product code depends on it. Without OMBUD_BENCH only the check
// that both sides agree runs, on a small shop.
package bench
