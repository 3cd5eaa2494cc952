package vault

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// vectors is a file of Wycheproof, with the fields of all primitives that are used here.
type vectors struct {
	NumberOfTests int
	TestGroups    []struct {
		KeySize, IvSize, TagSize int
		PublicKey                struct{ Pk hexBytes }
		Tests                    []vector
	}
}

type vector struct {
	TcID                                                  int `json:"tcId"`
	Comment, Result                                       string
	Key, Iv, Aad, Msg, Ct, Tag, Ikm, Salt, Info, Okm, Sig hexBytes
	Size                                                  int
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// wycheproof runs every vector of a primitive for which fits holds, and wants so many of them.
func wycheproof(t *testing.T, name string, want int, try func(keySize, ivSize, tagSize int, pub []byte, v vector) (ran, accepted bool)) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "wycheproof", name+"_test.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all vectors
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	n, seen := 0, 0
	for _, g := range all.TestGroups {
		for _, v := range g.Tests {
			seen++
			ran, accepted := try(g.KeySize, g.IvSize, g.TagSize, g.PublicKey.Pk, v)
			if !ran {
				continue
			}
			n++
			if accepted != (v.Result == "valid") {
				t.Errorf("%d, %s: accepted %v, it is %s", v.TcID, v.Comment, accepted, v.Result)
			}
		}
	}
	if n != want || seen != all.NumberOfTests {
		t.Errorf("%d of %d vectors ran, want %d", n, seen, want)
	}
}

// TestWycheproofAES256GCM tries the cipher that carries every sealed message. Nonces of other sizes than 12 bytes never
// reach it: XAES cuts its own to that.
func TestWycheproofAES256GCM(t *testing.T) {
	wycheproof(t, "aes_gcm", 66, func(keySize, ivSize, tagSize int, _ []byte, v vector) (ran, accepted bool) {
		if keySize != 256 || ivSize != 96 || tagSize != 128 {
			return false, false
		}
		aead := newWiper().open(v.Key)
		sealed := append(bytes.Clone(v.Ct), v.Tag...)
		plain, err := aead.Open(nil, v.Iv, sealed, v.Aad)
		if err == nil && (!bytes.Equal(plain, v.Msg) || !bytes.Equal(aead.Seal(nil, v.Iv, v.Msg, v.Aad), sealed)) {
			t.Errorf("%d: it opens as something else", v.TcID)
		}
		return true, err == nil
	})
}

func TestWycheproofHMACSHA256(t *testing.T) {
	wycheproof(t, "hmac_sha256", 174, func(_, _, tagSize int, _ []byte, v vector) (ran, accepted bool) {
		h := hmac.New(sha256.New, v.Key)
		h.Write(v.Msg)
		sum := h.Sum(nil)
		if len(v.Key) == 32 { // ours takes no other
			r := newRoom()
			r.in = append(r.in, v.Msg...)
			own := statesOf((*[32]byte)(v.Key)).hmac(r)
			sum = own[:]
		}
		return true, hmac.Equal(sum[:tagSize/8], v.Tag)
	})
}

func TestWycheproofHKDFSHA256(t *testing.T) {
	wycheproof(t, "hkdf_sha256", 86, func(_, _, _ int, _ []byte, v vector) (ran, accepted bool) {
		okm, err := hkdf.Key(sha256.New, v.Ikm, v.Salt, string(v.Info), v.Size)
		return true, err == nil && bytes.Equal(okm, v.Okm)
	})
}

func TestWycheproofEd25519(t *testing.T) {
	wycheproof(t, "ed25519", 151, func(_, _, _ int, pub []byte, v vector) (ran, accepted bool) {
		return true, len(pub) == ed25519.PublicKeySize && ed25519.Verify(pub, v.Msg, v.Sig)
	})
}

// TestOursAreThePrimitives: tokens are HMAC-SHA256 and keys HKDF-SHA256, over what the documentation says.
func TestOursAreThePrimitives(t *testing.T) {
	secret := [32]byte(bytes.Repeat([]byte{7}, 32))
	want, err := hkdf.Key(sha256.New, secret[:], nil, "ombud/v1/sealing", 32)
	if got := derive(&secret, "sealing"); err != nil || !bytes.Equal(got[:], want) {
		t.Errorf("derived %x, want %x, %v", *got, want, err)
	}
	h := hmac.New(sha256.New, secret[:])
	for _, part := range []string{"email", "name@example.com"} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	if got := mac(&secret, [][]byte{[]byte("email"), []byte("name@example.com")}); !bytes.Equal(got[:], h.Sum(nil)) {
		t.Errorf("MAC %x", got)
	}
}

// TestXAESDerives: the message keys of the two vectors of c2sp.org/XAES-256-GCM.
func TestXAESDerives(t *testing.T) {
	for first, want := range map[byte]string{
		1: "c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b",
		3: "e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8",
	} {
		key := [32]byte(bytes.Repeat([]byte{first}, 32))
		if got := newXAES(&key).derive([]byte("ABCDEFGHIJKLMNOPQRSTUVWX")); hex.EncodeToString(got[:]) != want {
			t.Errorf("key %d: got %x", first, got)
		}
	}
}

// TestXAESAccumulated is the randomized test of c2sp.org/XAES-256-GCM: 10,000 messages, a million in make soak.
func TestXAESAccumulated(t *testing.T) {
	rounds, want := 10_000, "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"
	if os.Getenv("OMBUD_SOAK") != "" {
		rounds, want = 1_000_000, "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15"
	}
	random, sum := sha3.NewSHAKE128(), sha3.NewSHAKE128()
	read := func(n int) []byte {
		b := make([]byte, n)
		random.Read(b)
		return b
	}
	for range rounds {
		key, nonce := [32]byte(read(32)), read(24)
		plain := read(int(read(1)[0]))
		aad := read(int(read(1)[0]))
		x := newXAES(&key)
		sealed := x.message(nonce).Seal(nil, nonce[12:], plain, aad)
		whole := append(append([]byte{firstVersion}, nonce...), sealed...)
		if got, err := x.open(aad, whole); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("what was sealed does not open: %v", err)
		}
		sum.Write(sealed)
	}
	var got [32]byte
	sum.Read(got[:])
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("after %d messages %x, want %s", rounds, got, want)
	}
}
