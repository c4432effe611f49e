package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An authority signs certificates.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.key = a.newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert = a.sign(template, template, a.key, "ca.pem")
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *authority) sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey, name string) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name, "CERTIFICATE", der)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

func (a *authority) write(name, kind string, der []byte) {
	b := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(filepath.Join(a.dir, name), b, 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// issue returns the files for a server with that DNS name.
func (a *authority) issue(name string) *TLS {
	key := a.newKey()
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".key", "EC PRIVATE KEY", der)
	a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, key, name+".pem")
	path := func(name string) string { return filepath.Join(a.dir, name) }
	return &TLS{Cert: path(name + ".pem"), Key: path(name + ".key"), CA: path("ca.pem")}
}

func TestTLS(t *testing.T) {
	ca, otherCA := newAuthority(t), newAuthority(t)
	withTLS := func(files *TLS) func(*Options) { return func(o *Options) { o.TLS = files } }
	b := newNode(t, 2, withTLS(ca.issue(ServerName("c", 2))))
	for _, test := range []struct {
		name string
		tls  *TLS
		ok   bool
	}{
		{"the certificate of another server", ca.issue(ServerName("c", 3)), false},
		{"the certificate of another cluster", ca.issue(ServerName("d", 1)), false},
		{"a certificate of another authority", otherCA.issue(ServerName("c", 1)), false},
		{"no certificate", nil, false},
		{"its own certificate", ca.issue(ServerName("c", 1)), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newNode(t, 1, withTLS(test.tls))
			b.SetPeers(map[uint64]string{1: a.address})
			a.SetPeers(map[uint64]string{2: b.address})
			came := func() bool { return b.is(func() bool { return len(b.messages) > 0 || len(b.snapshots) > 0 }) }
			eventually(t, "the message neither came nor was refused", func() bool {
				a.Send(heartbeat(1, 2, 1))
				a.SendSnapshot(snapshot(1, 2), nil)
				return a.is(func() bool { return a.unreachable > 0 }) || came()
			})
			if got := came(); got != test.ok {
				t.Errorf("it got through: %v", got)
			}
			a.Close()
		})
	}
}

func TestTLS_oldVersion(t *testing.T) {
	ca := newAuthority(t)
	b := newNode(t, 2, func(o *Options) { o.TLS = ca.issue(ServerName("c", 2)) })
	own, err := loadCertificates(ca.issue(ServerName("c", 1)))
	if err != nil {
		t.Fatal(err)
	}
	config := own.client("c", 2)
	config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	conn, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := tls.Client(conn, config).Handshake(); err == nil || !strings.Contains(err.Error(), "version") {
		t.Errorf("a handshake with TLS 1.2 ended with %v", err)
	}
}

func TestTLS_files(t *testing.T) {
	ca := newAuthority(t)
	good := ca.issue("name")
	for name, files := range map[string]TLS{
		"no certificate": {Cert: "none", Key: good.Key, CA: good.CA},
		"no authority":   {Cert: good.Cert, Key: good.Key, CA: "none"},
		"empty":          {Cert: good.Cert, Key: good.Key, CA: good.Key},
	} {
		if _, err := loadCertificates(&files); err == nil {
			t.Errorf("%s: the files were accepted", name)
		}
	}
}
