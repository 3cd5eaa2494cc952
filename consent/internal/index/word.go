package index

import (
	"fmt"
	"time"
)

// Word is all that the index knows of one person and one purpose: until when, since which revision of the ledger,
// and two bits of the caller's. The zero Word says that nothing is known.
//
//	63            40 39  38 37      30 29          0
//	expiry, minutes  mark   epoch      ledger entry
type Word uint64

// Minute is an instant counted in minutes since 2020-01-01 UTC, or one of NotGiven and Never. The last instant it
// can name lies in November 2051.
type Minute uint32

const (
	// NotGiven is the expiry of what was not given, or given no more.
	NotGiven Minute = 0
	// Never is the expiry of what has none.
	Never Minute = 1<<24 - 1

	maxEpoch = 1<<8 - 1
	maxEntry = 1<<30 - 1
	maxMark  = 1<<2 - 1
)

var minuteZero = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// MinuteOf is the minute that t lies in: rounded down, so that an expiry is never late. Instants beyond what a Minute
// can name become the first or the last it can; none becomes NotGiven or Never.
func MinuteOf(t time.Time) Minute {
	m := t.Unix() - minuteZero.Unix()
	return Minute(min(max(m/60, 1), int64(Never)-1))
}

// Time is the beginning of the minute; it means nothing for NotGiven and Never.
func (m Minute) Time() time.Time { return minuteZero.Add(time.Duration(m) * time.Minute) }

// Append is Time as RFC 3339 has it, behind what b holds. Years are counted from March, so that a leap day is the last of
// four of them; up to 2100 each fourth has one.
func (m Minute) Append(b []byte) []byte {
	const four, sinceMarch2016 = 4*365 + 1, 1401
	day, minute := int(m)/(24*60)+sinceMarch2016, int(m)%(24*60)
	year := 2016 + day/four*4
	day %= four
	further := min(day/365, 3)
	year, day = year+further, day-365*further
	month := (5*day + 2) / 153 // of 31, 30, 31, 30 and 31 days, again and again
	day -= (153*month + 2) / 5
	if month += 3; month > 12 {
		year, month = year+1, month-12
	}
	b = appendTwo(appendTwo(b, year/100), year%100)
	b = appendTwo(append(b, '-'), month)
	b = appendTwo(append(b, '-'), day+1)
	b = appendTwo(append(b, 'T'), minute/60)
	return append(appendTwo(append(b, ':'), minute%60), ":00Z"...)
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// NewWord packs a word. A revision is the epoch in its bits from 40 up and the ledger's entry below; more than 255
// epochs, 2³⁰-1 entries, a mark above 3 or a Minute above Never do not fit and are an error.
func NewWord(expiry Minute, revision uint64, mark uint8) (Word, error) {
	epoch, entry := revision>>40, revision&(1<<40-1)
	if epoch > maxEpoch || entry > maxEntry || mark > maxMark || expiry > Never {
		return 0, fmt.Errorf("packing a word of the decision index: expiry %d, epoch %d, entry %d, mark %d do not fit", expiry, epoch, entry, mark)
	}
	return Word(uint64(expiry)<<40 | uint64(mark)<<38 | epoch<<30 | entry), nil
}

// Expiry is when it ends, NotGiven or Never.
func (w Word) Expiry() Minute { return Minute(w >> 40) }

// Revision is the revision of the ledger entry that said so: epoch<<40 | entry.
func (w Word) Revision() uint64 { return uint64(w)>>30&maxEpoch<<40 | uint64(w)&maxEntry }

// Mark is the caller's two bits.
func (w Word) Mark() uint8 { return uint8(w >> 38 & maxMark) }

// Live says whether the word is given and not over at the minute now.
func (w Word) Live(now Minute) bool { return w.Expiry() > now }
