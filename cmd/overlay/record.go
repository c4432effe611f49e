package overlay

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// addRecord adds the packages that record a run and write its page.
func (o *Overlay) addRecord() error {
	for _, name := range []string{"wire", "picture", "record"} {
		if err := o.putPackage(name, addedDir(name)); err != nil {
			return err
		}
	}
	return o.putPage(addedDir("picture"))
}

// putPage puts the parts of the page into package picture as Go, since a module of before Go 1.16 cannot embed files.
func (o *Overlay) putPage(dir string) error {
	files, err := filepath.Glob(filepath.Join(o.root, "picture", "page", "*"))
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("//go:build go1.25\n\npackage picture\n\nimport \"testing/fstest\"\n\nvar files = fstest.MapFS{\n")
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.IsDir() {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "\t%q: {Data: []byte(%q)},\n", "page/"+filepath.Base(file), text)
	}
	b.WriteString("}\n")
	return o.put(path.Join(dir, "files.go"), []byte(b.String()))
}
