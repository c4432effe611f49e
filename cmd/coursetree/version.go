package coursetree

import (
	"os/exec"
	"regexp"
	"strconv"
)

var goVersion = regexp.MustCompile(`^go1\.(\d+)`)

// NewerGo returns the Go version to set as GOTOOLCHAIN, if the go command is older than 1.25 in the directory, and otherwise
// nothing.
func NewerGo(dir string) string {
	cmd := exec.Command("go", "env", "GOVERSION")
	cmd.Dir = dir
	out, err := cmd.Output()
	m := goVersion.FindSubmatch(out)
	if err != nil || m == nil {
		return ""
	}
	if minor, err := strconv.Atoi(string(m[1])); err == nil && minor < 25 {
		return "go1.25.0"
	}
	return ""
}
