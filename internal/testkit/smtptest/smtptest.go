// Package smtptest is a mail server that takes e-mail over an encrypted connection, from one user, and keeps it.
package smtptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// User and Password are those it knows.
const (
	User     = "ombud"
	Password = "a secret of the mail server"
)

// Mail is a message that was taken.
type Mail struct{ From, To, Text string }

// Server is a mail server at 127.0.0.1.
type Server struct {
	Port int
	CA   string // file with the certificate it is known by

	tls    *tls.Config
	plain  bool // speaks no STARTTLS
	mu     sync.Mutex
	mails  []Mail
	refuse string // what it answers to a recipient, "" takes them
	work   sync.WaitGroup
}

// Start starts a server that ends with its test: encrypted at once, or after STARTTLS.
func Start(t testing.TB, atOnce bool) *Server { return start(t, atOnce, false) }

// StartPlain starts one that encrypts nothing.
func StartPlain(t testing.TB) *Server { return start(t, false, true) }

func start(t testing.TB, atOnce, plain bool) *Server {
	t.Helper()
	s := &Server{plain: plain}
	s.certify(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	s.work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if atOnce {
				conn = tls.Server(conn, s.tls)
			}
			s.work.Go(func() { s.serve(conn, atOnce) })
		}
	})
	t.Cleanup(func() { l.Close(); s.work.Wait() })
	return s
}

// certify makes the certificate, and the file it is known by.
func (s *Server) certify(t testing.TB) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.CA = filepath.Join(t.TempDir(), "mail-ca.pem")
	if err := os.WriteFile(s.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Refuse makes it answer so to every recipient; "" takes them again.
func (s *Server) Refuse(answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = answer
}

// Mails are those it took, oldest first.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

func (s *Server) serve(conn net.Conn, encrypted bool) {
	defer func() { conn.Close() }()
	p, known, m := textproto.NewConn(conn), false, Mail{}
	say := func(lines ...string) { _ = p.PrintfLine("%s", strings.Join(lines, "\r\n")) }
	say("220 mail.example ESMTP")
	for {
		line, err := p.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch verb = strings.ToUpper(verb); {
		case verb == "EHLO" && !encrypted && !s.plain:
			say("250-mail.example", "250 STARTTLS")
		case verb == "EHLO":
			say("250-mail.example", "250 AUTH PLAIN")
		case verb == "STARTTLS" && !encrypted && !s.plain:
			say("220 go on")
			conn, encrypted = tls.Server(conn, s.tls), true
			p = textproto.NewConn(conn)
		case verb == "QUIT":
			say("221 bye")
			return
		case !encrypted:
			say("530 encrypt first")
		case verb == "AUTH":
			if known = rest == "PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00"+User+"\x00"+Password)); known {
				say("235 known")
			} else {
				say("535 unknown")
			}
		case !known:
			say("530 say who you are")
		case verb == "MAIL":
			m = Mail{From: address(rest)}
			say("250 ok")
		case verb == "RCPT" && s.refusal() != "":
			say(s.refusal())
		case verb == "RCPT":
			m.To = address(rest)
			say("250 ok")
		case verb == "DATA":
			say("354 go on")
			b, err := io.ReadAll(p.DotReader())
			if err != nil {
				return
			}
			m.Text = string(b)
			s.mu.Lock()
			s.mails = append(s.mails, m)
			s.mu.Unlock()
			say("250 taken")
		default:
			say("500 what?")
		}
	}
}

func (s *Server) refusal() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refuse
}

// address is what stands between the angles.
func address(text string) string {
	_, text, _ = strings.Cut(text, "<")
	text, _, _ = strings.Cut(text, ">")
	return text
}
