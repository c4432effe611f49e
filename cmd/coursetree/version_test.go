package coursetree

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNewerGo(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for version, want := range map[string]string{"go1.24.11": "go1.25.0", "go1.25.0": "", "go1.26-custom": "", "devel": ""} {
		if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\necho "+version+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if have := NewerGo(dir); have != want {
			t.Errorf("%s: %q, want %q", version, have, want)
		}
	}
}
