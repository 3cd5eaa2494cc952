//go:build pkcs11

package pkcs11

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/ThalesGroup/crypto11"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

const (
	versionSize = 8 // before each wrapped key, and the id of the object
	nonceSize   = 12
	tagSize     = 16
)

type provider struct {
	c  Config
	mu sync.Mutex // a token has one login
}

// New prepares a provider; it asks nobody yet. Everything that is wrong is named at once, as fault.Invalid.
func New(c Config) (vault.Provider, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return &provider{c: c}, nil
}

func (p *provider) Name() string { return "pkcs11 " + p.c.Token + "/" + p.c.Key }

// token is a login to the token, and the versions it holds.
type token struct {
	*crypto11.Context
	label  string
	keys   map[uint64]*crypto11.SecretKey
	newest uint64
}

// with logs in for one piece of work.
func (p *provider) with(ctx context.Context, do func(*token) error) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return fault.Wrap(fault.Unavailable, ctx.Err(), "interrupted before the token was asked")
	}
	c, err := crypto11.Configure(&crypto11.Config{Path: p.c.Module, TokenLabel: p.c.Token, Pin: p.c.PIN, GCMIVLength: nonceSize})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the PKCS#11 token cannot be opened").Then("Look whether module, token and pin are right; too many wrong ones lock a token.")
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	t := &token{Context: c, label: p.c.Key}
	if err := t.find(); err != nil {
		return err
	}
	return do(t)
}

func (t *token) find() error {
	found, err := t.FindKeys(nil, []byte(t.label))
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the PKCS#11 token does not list its keys")
	}
	t.keys = map[uint64]*crypto11.SecretKey{}
	for _, k := range found {
		id, err := t.GetAttribute(k, crypto11.CkaId)
		if err != nil || len(id.Value) != versionSize {
			return fault.Wrap(fault.Invalid, err, "the PKCS#11 token holds a key of this label that Ombud did not make")
		}
		version := binary.BigEndian.Uint64(id.Value)
		t.keys[version] = k
		t.newest = max(t.newest, version)
	}
	return nil
}

// add makes the next version.
func (t *token) add() error {
	id := binary.BigEndian.AppendUint64(nil, t.newest+1)
	k, err := t.GenerateSecretKeyWithLabel(id, []byte(t.label), 256, crypto11.CipherAES)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the PKCS#11 token makes no key")
	}
	t.newest++
	t.keys[t.newest] = k
	return nil
}

// Version is that of the newest object: a count from 1.
func (p *provider) Version(ctx context.Context) (version string, err error) {
	err = p.with(ctx, func(t *token) error {
		if t.newest == 0 {
			if err := t.add(); err != nil {
				return err
			}
		}
		version = strconv.FormatUint(t.newest, 10)
		return nil
	})
	return version, err
}

// Wrap encrypts under the newest version.
func (p *provider) Wrap(ctx context.Context, key, aad []byte) (wrapped []byte, err error) {
	err = p.with(ctx, func(t *token) error {
		if t.newest == 0 {
			if err := t.add(); err != nil {
				return err
			}
		}
		wrapped, err = seal(t.keys[t.newest], t.newest, key, aad)
		return err
	})
	return wrapped, err
}

func seal(k *crypto11.SecretKey, version uint64, key, aad []byte) (wrapped []byte, err error) {
	g, err := gcm(k)
	if err != nil {
		return nil, err
	}
	defer func() { // the library panics when a token does not encrypt
		if r := recover(); r != nil {
			wrapped, err = nil, fault.Wrap(fault.Unavailable, fmt.Errorf("%v", r), "the PKCS#11 token does not encrypt")
		}
	}()
	header := binary.BigEndian.AppendUint64(nil, version)
	nonce := make([]byte, nonceSize)
	rand.Read(nonce) // never fails: it ends the process instead
	out := append(header, nonce...)
	return append(out, g.Seal(nil, nonce, key, bound(header, aad))...), nil
}

func gcm(k *crypto11.SecretKey) (cipher.AEAD, error) {
	g, err := k.NewGCM()
	if err != nil || g.NonceSize() != nonceSize {
		return nil, fault.Wrap(fault.Unavailable, err, "the PKCS#11 token has no AES-GCM")
	}
	return g, nil
}

// bound puts the version into the authenticated data. It is never empty: some tokens take that for an error.
func bound(header, aad []byte) []byte {
	return append(append([]byte("ombud/pkcs11/"), header...), aad...)
}

// Unwrap decrypts under the version that wrapped names.
func (p *provider) Unwrap(ctx context.Context, wrapped, aad []byte) (key []byte, err error) {
	err = p.with(ctx, func(t *token) error {
		if len(wrapped) < versionSize+nonceSize+tagSize {
			return errWrapped(nil)
		}
		header, nonce, sealed := wrapped[:versionSize], wrapped[versionSize:versionSize+nonceSize], wrapped[versionSize+nonceSize:]
		version := binary.BigEndian.Uint64(header)
		k := t.keys[version]
		if k == nil {
			return errWrapped(nil)
		}
		g, err := gcm(k)
		if err != nil {
			return err
		}
		if key, err = g.Open(nil, nonce, sealed, bound(header, aad)); err == nil {
			return nil
		}
		// Tokens do not agree on how to say that a tag is wrong. One that still encrypts is in order: so it is the tag.
		if _, broken := seal(k, version, make([]byte, 32), nil); broken != nil {
			return broken
		}
		return errWrapped(err)
	})
	return key, err
}

func errWrapped(cause error) error {
	return fault.Wrap(fault.Integrity, cause, "a wrapped key cannot be opened: it was changed, belongs elsewhere, or its version was destroyed")
}

// Rotate makes a new object, which Wrap uses from now on.
func (p *provider) Rotate(ctx context.Context) (version string, err error) {
	err = p.with(ctx, func(t *token) error {
		err := t.add()
		version = strconv.FormatUint(t.newest, 10)
		return err
	})
	return version, err
}

// Destroy deletes the objects of all versions but this one.
func (p *provider) Destroy(ctx context.Context, keep string) error {
	return p.with(ctx, func(t *token) error {
		if t.newest == 0 || keep != strconv.FormatUint(t.newest, 10) {
			return fault.New(fault.Conflict, "version %.20q is not the newest of the PKCS#11 token", keep)
		}
		for version, k := range t.keys {
			if version == t.newest {
				continue
			}
			if err := k.Delete(); err != nil {
				return fault.Wrap(fault.Unavailable, err, "the PKCS#11 token does not delete a key")
			}
		}
		return nil
	})
}
