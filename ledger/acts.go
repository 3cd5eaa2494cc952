package ledger

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/fault"
)

// actsFile is the suppression ledger: the acts that must survive the loss of the database, in groups. A group is a
// checkpoint (a signed note of size and root of the tree after it) whose further lines are
//
//	ombud-acts NUMBER-OF-THE-FIRST SHA-256-OF-THE-GROUP-BEFORE
//	REVISION KIND SEALED-BODY          once or more
//
// and an empty line follows it. Groups are only ever added, and forced to the disk before the acts are answered. Behind the
// last one lie zeros, filled ahead: what is written over them does not change the length of the file, so that to force it
// does not force the journal of the file system too. For readers the file ends with the first zero.
const (
	actsFile  = "suppressions"
	actsMark  = "ombud-acts"
	actLabel  = "suppression-ledger" // under which bodies are sealed
	maxAct    = 64 << 10             // sealed
	maxGroup  = 512 << 10            // a note longer than 1 MB cannot be opened
	kindEpoch = "epoch"              // the act that begins a new epoch
)

// actsStart is the hash before the first group.
var actsStart = tlog.Hash(sha256.Sum256([]byte(actsMark)))

// Act is one suppressive act as it is kept outside: what must be done again to an older store. It names nobody.
type Act struct {
	Revision int64
	Kind     string
	Body     []byte // JSON

	number int64 // from 1, without gaps
	sealed []byte
}

// aad binds a sealed body to its place.
func (a *Act) aad() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(a.number))
	return append(binary.BigEndian.AppendUint64(b, uint64(a.Revision)), a.Kind...)
}

func (a *Act) line() string {
	return fmt.Sprintf("%d %s %s\n", a.Revision, a.Kind, base64.StdEncoding.EncodeToString(a.sealed))
}

func parseAct(line string) (a Act, ok bool) {
	f := strings.Split(line, " ")
	if len(f) != 3 {
		return a, false
	}
	rev, err := strconv.ParseInt(f[0], 10, 64)
	sealed, err2 := base64.StdEncoding.DecodeString(f[2])
	return Act{Revision: rev, Kind: f[1], sealed: sealed}, err == nil && err2 == nil && isName(f[1])
}

// actGroup is one group of the file.
type actGroup struct {
	head  treeHead // of the tree after it; its size may be 0
	first int64
	prev  tlog.Hash
	acts  []Act
}

func (g *actGroup) text(origin string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%d\n%s\n%s %d %s\n", origin, g.head.size, g.head.root, actsMark, g.first, g.prev)
	for i := range g.acts {
		b.WriteString(g.acts[i].line())
	}
	return b.String()
}

func parseGroup(text string) (*actGroup, bool) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 5 {
		return nil, false
	}
	g := &actGroup{}
	var err error
	if g.head.size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || g.head.size < 0 || g.head.size >= 1<<epochShift {
		return nil, false
	}
	if g.head.root, err = tlog.ParseHash(lines[2]); err != nil {
		return nil, false
	}
	mark := strings.Split(lines[3], " ")
	if len(mark) != 3 || mark[0] != actsMark {
		return nil, false
	}
	if g.first, err = strconv.ParseInt(mark[1], 10, 64); err != nil || g.first < 1 {
		return nil, false
	}
	if g.prev, err = tlog.ParseHash(mark[2]); err != nil {
		return nil, false
	}
	for i, line := range lines[4:] {
		a, ok := parseAct(line)
		if !ok {
			return nil, false
		}
		a.number = g.first + int64(i)
		g.acts = append(g.acts, a)
	}
	return g, true
}

// actsEnd is where a file of acts stands after its last group.
type actsEnd struct {
	head     treeHead
	last     int64 // number of the last act
	first    int64 // number of the first act of the last group
	revision int64 // of the last act
	hash     tlog.Hash
	offset   int64
	note     []byte // of the last group
	commit   keptCommit
}

func (e *actsEnd) epoch() int64 { return e.revision >> epochShift }

// grow moves the end behind a group, if that follows.
func (e *actsEnd) grow(g *actGroup, msg []byte) bool {
	if g.first != e.last+1 || g.prev != e.hash {
		return false
	}
	for _, a := range g.acts {
		if a.Revision < e.revision {
			return false
		}
		e.revision = a.Revision
	}
	e.commit.grow(e, g)
	e.head, e.first, e.last = g.head, g.first, e.last+int64(len(g.acts))
	e.hash, e.note = tlog.Hash(sha256.Sum256(msg)), msg
	e.offset += int64(len(msg)) + 1
	return true
}

// readActs reads a file of acts, calls fn, if any, with each group, and gives where its last group ends. The chain of
// hashes is checked throughout and the signature of the last group vouches for it all. What a crash cut short at the end, or
// left with zeros in it, was never acknowledged, and is passed over; anything else that is not what was written is
// fault.Integrity, with the end of what is good.
func readActs(path string, v note.Verifier, fn func(*actGroup) error) (end actsEnd, err error) {
	return readActsTo(math.MaxInt64, path, v, fn)
}

// readActsTo is readActs of so many bytes of a file, the first ones.
func readActsTo(limit int64, path string, v note.Verifier, fn func(*actGroup) error) (end actsEnd, err error) {
	end.hash = actsStart
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return end, nil
	}
	if err != nil {
		return end, fault.Wrap(fault.Unavailable, err, "the suppression ledger cannot be read")
	}
	defer f.Close()
	in := bufio.NewReaderSize(io.LimitReader(f, limit), 64<<10)
	for {
		msg, err := readNote(in)
		if errors.Is(err, errZero) {
			err = end.behind(io.MultiReader(bytes.NewReader(msg), in))
		}
		if errors.Is(err, io.EOF) {
			return end, end.signed(v)
		}
		if err != nil {
			return end.good(v), err
		}
		i := bytes.Index(msg, []byte("\n\n"+signatureMark))
		g, ok := parseGroup(string(msg[:i+1]))
		if !ok || !end.grow(g, msg) {
			return end.good(v), errActs("it was changed after act %d", end.last)
		}
		if fn != nil {
			if err := fn(g); err != nil {
				return end, err
			}
		}
	}
}

// signed verifies the signature of the last group.
func (e *actsEnd) signed(v note.Verifier) error {
	if e.last == 0 {
		return nil
	}
	if _, err := note.Open(e.note, note.VerifierList(v)); err != nil {
		return errActs("its last group is not signed by this key")
	}
	return nil
}

// good is the end, if it is signed, else the start.
func (e actsEnd) good(v note.Verifier) actsEnd {
	if e.signed(v) != nil {
		return actsEnd{hash: actsStart}
	}
	return e
}

// behind reads what lies behind the first zero: more of them, or what a crash left of the group that comes next, and then
// io.EOF. A later group was written after that one was forced to the disk: somebody took it out.
func (e *actsEnd) behind(in io.Reader) error {
	for lines := bufio.NewReader(in); ; {
		line, err := lines.ReadBytes('\n')
		_, mark, _ := bytes.Cut(line, []byte(actsMark+" "))
		number, _, _ := bytes.Cut(mark, []byte(" "))
		if first, err := strconv.ParseInt(string(number), 10, 64); err == nil && first != e.last+1 {
			return errActs("acts are missing after act %d", e.last)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fault.Wrap(fault.Unavailable, err, "the suppression ledger cannot be read")
		}
		if err != nil {
			return io.EOF
		}
	}
}

// errZero ends the reading of notes: here the file was filled ahead.
var errZero = errors.New("a zero")

// readNote reads a note up to and without the empty line behind it; io.EOF when the rest is none, or torn, and errZero with
// the line that holds one.
func readNote(in *bufio.Reader) ([]byte, error) {
	var msg []byte
	signed, blank := false, 0
	for {
		line, err := in.ReadBytes('\n')
		if bytes.IndexByte(line, 0) >= 0 {
			return line, errZero
		}
		if err == nil && len(line) == 1 {
			if signed {
				return msg, nil
			}
			blank++
		}
		signed = err == nil && blank == 1 && bytes.HasPrefix(line, []byte(signatureMark))
		msg = append(msg, line...)
		switch {
		case blank > 1 || len(msg) > 2*maxGroup:
			return nil, errActs("it holds something that is no group")
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		case err != nil:
			return nil, fault.Wrap(fault.Unavailable, err, "the suppression ledger cannot be read")
		}
	}
}

func errActs(why string, args ...any) error {
	return fault.New(fault.Integrity, "the suppression ledger outside is not what was written: %s", fmt.Sprintf(why, args...)).
		Then("Put the newest intact copy of the file %s back into the heads directory.", actsFile)
}
