package vault

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

func open(t *testing.T, dir string) *Vault {
	t.Helper()
	v, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The vectors of c2sp.org/XAES-256-GCM: one key for each value of the bit CMAC carries.
func TestXAESVectors(t *testing.T) {
	for _, c := range []struct {
		key       byte
		aad, want string
	}{
		{1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	} {
		key := [32]byte(bytes.Repeat([]byte{c.key}, 32))
		nonce := []byte("ABCDEFGHIJKLMNOPQRSTUVWX")
		got := newXAES(&key).message(nonce).Seal(nil, nonce[12:], []byte("XAES-256-GCM"), []byte(c.aad))
		if hex.EncodeToString(got) != c.want {
			t.Errorf("key %d: got %x, want %s", c.key, got, c.want)
		}
	}
}

func TestSealBindsEverything(t *testing.T) {
	v := open(t, t.TempDir())
	sealed := v.Seal("ledger", []byte("aad"), []byte("plain"))
	if got, err := v.Open("ledger", []byte("aad"), sealed); err != nil || string(got) != "plain" {
		t.Fatalf("got %q, %v", got, err)
	}
	if bytes.Equal(sealed, v.Seal("ledger", []byte("aad"), []byte("plain"))) {
		t.Error("two seals are equal: the nonce repeats")
	}
	refused := map[string]func() ([]byte, error){
		"label":     func() ([]byte, error) { return v.Open("journal", []byte("aad"), sealed) },
		"aad":       func() ([]byte, error) { return v.Open("ledger", []byte("aae"), sealed) },
		"boundary":  func() ([]byte, error) { return v.Open("ledgera", []byte("ad"), sealed) },
		"short":     func() ([]byte, error) { return v.Open("ledger", []byte("aad"), sealed[:20]) },
		"empty":     func() ([]byte, error) { return v.Open("ledger", []byte("aad"), nil) },
		"other key": func() ([]byte, error) { return open(t, t.TempDir()).Open("ledger", []byte("aad"), sealed) },
	}
	for name, try := range refused {
		if _, err := try(); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s: got %v, want an integrity fault", name, err)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := v.Open("ledger", []byte("aad"), changed); err == nil {
			t.Errorf("byte %d changed and still opened", i)
		}
	}
}

func TestSameRootSameKeys(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	if !a.PublicKey().Equal(b.PublicKey()) || a.MAC("ip", []byte("y")) != b.MAC("ip", []byte("y")) {
		t.Error("the same root key gave other keys")
	}
	if !ed25519.Verify(b.PublicKey(), []byte("msg"), a.Sign([]byte("msg"))) {
		t.Error("a signature does not verify")
	}
	if _, err := b.Open("l", nil, a.Seal("l", nil, nil)); err != nil {
		t.Error(err)
	}
}

func TestMACSeparates(t *testing.T) {
	v := open(t, t.TempDir())
	seen := map[[32]byte]string{}
	for name, sum := range map[string][32]byte{
		"suppression": v.MAC(Suppression, []byte("ab"), []byte("c")),
		"index":       v.MAC(BlindIndex, []byte("ab"), []byte("c")),
		"shifted":     v.MAC(Suppression, []byte("a"), []byte("bc")),
		"joined":      v.MAC(Suppression, []byte("abc")),
		"empty part":  v.MAC(Suppression, []byte("abc"), nil),
		"none":        v.MAC(Suppression),
	} {
		if other, ok := seen[sum]; ok {
			t.Errorf("%s and %s have the same token", name, other)
		}
		seen[sum] = name
	}
}

func TestRequestKeyDies(t *testing.T) {
	v := open(t, t.TempDir())
	k, stored, err := v.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Seal([]byte("a"), []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := v.OpenKey(stored)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open([]byte("a"), sealed); err != nil || string(got) != "plain" {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := again.Open([]byte("b"), sealed); fault.KindOf(err) != fault.Integrity {
		t.Errorf("other aad: %v", err)
	}
	m1, _ := k.MAC([]byte("x"))
	if m2, err := again.MAC([]byte("x")); err != nil || m1 != m2 {
		t.Error("the same key gave another MAC")
	}
	again.Destroy()
	copied := again
	_, sealErr := copied.Seal(nil, nil)
	_, openErr := again.Open([]byte("a"), sealed)
	_, macErr := again.MAC()
	if sealErr == nil || openErr == nil || macErr == nil {
		t.Error("a destroyed key still works")
	}
	if again.in().seal != [32]byte{} || again.in().mac != [32]byte{} {
		t.Error("a destroyed key is still in memory")
	}
	if _, err := (Key{}).Seal(nil, nil); err == nil {
		t.Error("the zero Key seals")
	}
	for n, broken := range [][]byte{nil, stored[:4], append(stored, 0), {slotVersion, 1, 1, 1, 1}} {
		if _, err := v.OpenKey(broken); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%d: %v", n, err)
		}
	}
	if err := v.Shred(SlotOf(stored)); err != nil {
		t.Fatal(err)
	}
	if _, err := v.OpenKey(stored); !errors.Is(err, ErrForgotten) {
		t.Errorf("a shredded key opens: %v", err)
	}
	old, err := v.OpenKey(v.Seal(keyLabel, nil, make([]byte, 32))) // as they were stored before
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Seal(nil, nil); err != nil {
		t.Error(err)
	}
}

func TestFilesAtFirstUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	v := open(t, dir)
	info, err := os.Stat(filepath.Join(dir, "root"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("root: %v, %v", info.Mode(), err)
	}
	pub, err := LoadPublicKey(filepath.Join(dir, "ombud.pub"))
	if err != nil || !pub.Equal(v.PublicKey()) {
		t.Errorf("ombud.pub: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Errorf("temporary files left: %v", left)
	}
	elsewhere := filepath.Join(t.TempDir(), "secret")
	if _, err := Open(Config{Dir: t.TempDir(), RootPath: elsewhere}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(elsewhere); err != nil {
		t.Error(err)
	}
}

func TestRefusesWhatIsUnsafe(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(dir string) error
		kind  fault.Kind
	}{
		"readable by others": {func(d string) error { return os.Chmod(filepath.Join(d, "root"), 0o640) }, fault.Invalid},
		"root lost":          {func(d string) error { return os.Remove(filepath.Join(d, "root")) }, fault.Integrity},
		"root replaced": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "root"), []byte(strings.Repeat("ab", 32)), 0o600)
		}, fault.Integrity},
		"root cut": {func(d string) error { return os.Truncate(filepath.Join(d, "root"), 20) }, fault.Invalid},
		"not hex": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "root"), []byte(strings.Repeat("zz", 32)), 0o600)
		}, fault.Invalid},
		"pub changed": {func(d string) error { return os.WriteFile(filepath.Join(d, "ombud.pub"), []byte("x"), 0o600) }, fault.Integrity},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			open(t, dir)
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(Config{Dir: dir}); fault.KindOf(err) != c.kind || err == nil {
				t.Errorf("got %v, want kind %v", err, c.kind)
			}
		})
	}
}

func TestFirstUseRace(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		var wg sync.WaitGroup
		keys := make([]string, 8)
		for i := range keys {
			wg.Go(func() {
				v, err := Open(Config{Dir: dir})
				if err != nil {
					t.Error(err)
					return
				}
				keys[i] = string(v.PublicKey())
			})
		}
		wg.Wait()
		for _, k := range keys {
			if k != keys[0] {
				t.Fatal("two root keys were made")
			}
		}
	}
}

func TestNothingShowsAKey(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	k, _, err := v.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(dir, "root"))
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		V *Vault
		K Key
		v Vault
		k Key
	}
	h := holder{v, k, *v, k}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		fmt.Fprintf(&out, verb, h)
		fmt.Fprintf(&out, verb, v)
		fmt.Fprintf(&out, verb, k)
	}
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	all := out.String() + string(b)
	for _, secret := range []string{
		strings.TrimSpace(string(root)), hex.EncodeToString(k.in().seal[:]), fmt.Sprint(k.in().seal[:4]), fmt.Sprint(v.in().now().root[:4]),
	} {
		if strings.Contains(all, strings.Trim(secret, "[]")) {
			t.Error("a key was printed")
		}
	}
	if !strings.Contains(string(b), redacted) {
		t.Errorf("json: %s", b)
	}
}

func FuzzParsePublic(f *testing.F) {
	text, err := formatPublic(fromRoot([32]byte{1}).PublicKey())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("ombud/00000000+00000000+AA==")
	f.Fuzz(func(t *testing.T, s string) {
		pub, ok := parsePublic(s)
		if !ok {
			return
		}
		again, err := formatPublic(pub)
		if err != nil || !strings.HasPrefix(again, strings.TrimSpace(strings.SplitN(s, "\n", 2)[0])) {
			t.Errorf("%q was read as another key", s)
		}
	})
}

func BenchmarkSeal300(b *testing.B) {
	v := fromRoot([32]byte{1})
	plain := make([]byte, 300)
	for b.Loop() {
		v.Seal("ledger", nil, plain)
	}
}

// TestOpenIn: what is opened in a room lies there, where it is large enough, and is what Open gives, label, key of a person and all.
func TestOpenIn(t *testing.T) {
	v := open(t, t.TempDir())
	defer v.Close()
	slot, err := v.NewSlot()
	if err != nil {
		t.Fatal(err)
	}
	text, aad := []byte("what was said"), []byte("where")
	theirs, err := v.SealFor(slot, "label", aad, text)
	if err != nil {
		t.Fatal(err)
	}
	room := make([]byte, 1<<10)
	for _, sealed := range [][]byte{v.Seal("label", aad, text), theirs} {
		for _, in := range [][]byte{room, room[:8:8], nil} {
			got, err := v.OpenIn(in, "label", aad, sealed)
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("%q, %v", got, err)
			}
			if lies := len(in) > 0 && &got[0] == &in[0]; lies != (len(in) > 8) {
				t.Errorf("in a room of %d: %v", len(in), lies)
			}
		}
		if _, err := v.OpenIn(room, "another", aad, sealed); fault.KindOf(err) != fault.Integrity {
			t.Errorf("under another label: %v", err)
		}
	}
}
