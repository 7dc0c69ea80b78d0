package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// serve answers on a free port of loopback, until the server is closed.
func serve(h http.Handler, with *tls.Config) (*http.Server, string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	address := "http://" + listener.Addr().String()
	server := &http.Server{Handler: h}
	if with != nil {
		address = "https://" + listener.Addr().String()
		listener = tls.NewListener(listener, with) // HTTP/1.1, as DynamoDB has it
	}
	go func() { _ = server.Serve(listener) }() // ends with Close
	return server, address, nil
}

// systemBundle is where the system's certificates are; a function on Lambda reads them
// before its first call.
const systemBundle = "/etc/ssl/certs/ca-certificates.crt"

// certify makes a certificate for loopback, and the file, in a folder, by which
// SSL_CERT_FILE has a function trust it: with those of the system before it, so that
// reading them costs what it costs everywhere.
func certify(folder string) (*tls.Config, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	signed := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, signed, signed, &key.PublicKey, key)
	if err != nil {
		return nil, "", err
	}
	system, err := os.ReadFile(systemBundle)
	if err != nil {
		system = nil // a system that keeps them elsewhere reads fewer here
	}
	bundle := filepath.Join(folder, "certificates.pem")
	written := append(system, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	if err := os.WriteFile(bundle, written, 0o600); err != nil {
		return nil, "", fmt.Errorf("the bench's certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, bundle, nil
}
