// Package network needs what the host does not have.
package network

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

func TestDial(t *testing.T) {
	c, err := net.Dial("tcp", "192.0.2.1:80")
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestProcess(t *testing.T) {
	if err := exec.Command("true").Run(); err != nil {
		t.Fatal(err)
	}
}

func TestWriteHere(t *testing.T) {
	if err := os.WriteFile("file", nil, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestFiles finds what go test would let it find.
func TestFiles(t *testing.T) {
	if _, err := os.ReadFile("network_test.go"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile("../go.mod"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(t.TempDir()+"/file", nil, 0o666); err != nil {
		t.Fatal(err)
	}
}
