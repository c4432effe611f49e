package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each loop and goto counts. Lines keep their numbers, and the rest of the file is unchanged.
func TestCountLoops(t *testing.T) {
	const source = `package p

func f(s []int) {
	for {
	}
	for range s { func() { for {} }() }
again:
	goto again
}

//go:nosplit
func g() {
	for {
	}
}
// end`
	got := string(countLoops("f.go", []byte(source)))
	inserted := regexp.MustCompile(` if (replayCounter_\w+)--; \w+ < 0 \{ replayTurn_\w+\(&\w+\) \}; `)
	if n := len(inserted.FindAllString(got, -1)); n != 4 {
		t.Errorf("%d places count, want 4:\n%s", n, got)
	}
	rest, ok := strings.CutPrefix(inserted.ReplaceAllString(got, ""), source)
	if !ok || !strings.Contains(rest, "var replayCounter_") {
		t.Errorf("the source has changed otherwise:\n%s", got)
	}
	if other := string(countLoops("g.go", []byte(source))); inserted.FindString(other) == inserted.FindString(got) {
		t.Error("two files of a package declare the same names")
	}
	for _, unchanged := range []string{"package p\n", "package p\nfunc {"} {
		if out := countLoops("f.go", []byte(unchanged)); out != nil {
			t.Errorf("%q becomes %q", unchanged, out)
		}
	}
}

// The loops of a file that -overlay replaces are those of its replacement. Other entries of the overlay stay.
func TestOverlayLoops(t *testing.T) {
	dir := t.TempDir()
	name, replacement, base := filepath.Join(dir, "f.go"), filepath.Join(dir, "new.go"), filepath.Join(dir, "base.json")
	gone := filepath.Join(dir, "gone.go")
	for file, text := range map[string]string{
		name: "package p\n", replacement: "package p\nfunc g() { for {} }\n", base: fmt.Sprintf(`{"Replace": {%q: %q, %q: ""}}`, name, replacement, gone),
	} {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	written, err := overlayLoops([]string{name}, base, dir)
	if err != nil {
		t.Fatal(err)
	}
	o := replacements{map[string]string{}}
	if err := o.read(written); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.Replace[name])
	if to, ok := o.Replace[gone]; err != nil || !strings.Contains(string(text), "func g() { for { if replay") || !ok || to != "" {
		t.Errorf("overlay %v, file %q, error %v", o, text, err)
	}
}
