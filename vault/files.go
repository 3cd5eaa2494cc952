package vault

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/ombudhq/ombud/internal/fault"
)

const publicFile = "ombud.pub"

// KeyName is the name a public key signs notes under: "ombud/" and the start of its hash.
func KeyName(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return "ombud/" + hex.EncodeToString(sum[:4])
}

// VerifierKey is the key as a line that any verifier of signed notes reads: name, hash and key.
func VerifierKey(pub ed25519.PublicKey) (string, error) {
	line, err := note.NewEd25519VerifierKey(KeyName(pub), pub)
	if err != nil {
		return "", fmt.Errorf("writing a public key: %w", err)
	}
	return line, nil
}

// LoadPublicKey reads an ombud.pub; fault.Invalid when it is not one.
func LoadPublicKey(file string) (ed25519.PublicKey, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the public key %s cannot be read", filepath.Base(file))
	}
	pub, ok := parsePublic(string(b))
	if !ok {
		return nil, fault.New(fault.Invalid, "%s is not a public key of ombud", filepath.Base(file))
	}
	return pub, nil
}

// formatPublic is the line for verifiers, then the raw key for everybody else.
func formatPublic(pub ed25519.PublicKey) (string, error) {
	line, err := VerifierKey(pub)
	if err != nil {
		return "", err
	}
	return line + "\ned25519 " + hex.EncodeToString(pub) + "\n", nil
}

func parsePublic(text string) (ed25519.PublicKey, bool) {
	line, _, _ := strings.Cut(text, "\n")
	parts := strings.SplitN(line, "+", 3)
	if len(parts) != 3 {
		return nil, false
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return nil, false
	}
	pub := ed25519.PublicKey(raw[1:])
	want, err := formatPublic(pub)
	return pub, err == nil && (text == want || line == strings.TrimSpace(text) && strings.HasPrefix(want, line+"\n"))
}

// publish writes ombud.pub, or checks that it is ours.
func (v *Vault) publish(path string) error {
	text, err := formatPublic(v.PublicKey())
	if err != nil {
		return err
	}
	if err := createOnce(path, []byte(text), 0o644); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the public key %s cannot be written", publicFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the public key %s cannot be read", publicFile)
	}
	if !bytes.Equal(b, []byte(text)) {
		return fault.New(fault.Integrity, "the root key and %s do not belong together", publicFile).
			Then("Put back the root key that was used before.")
	}
	return nil
}

// createOnce makes a file whole or not at all, on the disk when it answers, and leaves one alone that is there.
func createOnce(path string, content []byte, mode fs.FileMode) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
