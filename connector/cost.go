package connector

import (
	"slices"
	"time"
)

const (
	// bearable is how long a search may take that is made for its time alone.
	bearable = 150 * time.Millisecond
	// fewParts tell whether all of it can be made; manyParts are the most that are.
	fewParts  = 5
	manyParts = 100
)

// SearchCost tells how long a search takes by making it: a short one whole, of a long one parts. Each part tells what share of
// the search it is, 0 where there is nothing to search.
func SearchCost(whole func() (time.Duration, error), part func(n int) (took time.Duration, share float64, err error)) (time.Duration, error) {
	var took time.Duration
	var done float64
	for n := 0; n < manyParts && took < bearable; n++ {
		d, share, err := part(n)
		if err != nil || share == 0 {
			return 0, err
		}
		took, done = took+d, done+share
		if short := float64(took)/done <= float64(bearable); done >= 1 || n+1 >= fewParts && short {
			return typical(whole)
		}
	}
	return time.Duration(float64(took) / done), nil // the mean, for what holds up a part holds up all the more of the whole
}

// typical is the median of a few times: one may be held up by whatever else the machine does.
func typical(whole func() (time.Duration, error)) (time.Duration, error) {
	var all []time.Duration
	for sum := time.Duration(0); len(all) < 3 || len(all) < 7 && sum < bearable; sum += all[len(all)-1] {
		took, err := whole()
		if err != nil {
			return 0, err
		}
		all = append(all, took)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
