package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS names the files (PEM) that make connections private. The certificate must be for the name that ServerName
// returns, be good for both servers and clients, and be signed by CA. So is every peer's: a server is who its certificate
// says, not who it says that it is.
type TLS struct {
	Cert, Key string // this server's certificate and its key
	CA        string // certificates of who may sign the others
}

// ServerName returns the DNS name that the certificate of a server must have.
func ServerName(cluster string, id uint64) string { return fmt.Sprintf("server-%d.%s", id, cluster) }

// certificates is a loaded TLS.
type certificates struct {
	base   *tls.Config
	server *tls.Config
}

func loadCertificates(t *TLS) (*certificates, error) {
	own, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("there is no certificate in %s", t.CA)
	}
	base := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}, RootCAs: pool, ClientCAs: pool}
	server := base.Clone()
	server.ClientAuth = tls.RequireAndVerifyClientCert
	server.SessionTicketsDisabled = true
	return &certificates{base, server}, nil
}

// client returns the configuration to call a server with.
func (c *certificates) client(cluster string, id uint64) *tls.Config {
	config := c.base.Clone()
	config.ServerName = ServerName(cluster, id)
	return config
}

// verifyCaller returns an error if the certificate of a caller, which was signed by the CA, is not that of the server.
func verifyCaller(state tls.ConnectionState, cluster string, id uint64) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the caller has shown no certificate")
	}
	if err := state.PeerCertificates[0].VerifyHostname(ServerName(cluster, id)); err != nil {
		return fmt.Errorf("the caller is not server %d: %w", id, err)
	}
	return nil
}
